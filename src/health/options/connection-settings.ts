import { BYTE_SIZE_EXPECTED, toBytes, type OptionTree, type Settings } from '../../redis/shared.js';
import type {
  ConnectionHealthOptions,
  MemoryHealthOptions,
  ReplicationHealthOptions,
} from './health-options.js';
import type { ResolvedConnectionHealthOptions } from './resolved-health-options.js';

/** The options of a connection's check. */
export const CONNECTION_OPTIONS = {
  timeout: true,
  memory: { degraded: true } satisfies Record<keyof MemoryHealthOptions, true>,
  replication: { role: true, maxLag: true, minReplicas: true } satisfies Record<
    keyof ReplicationHealthOptions,
    true
  >,
  persistence: true,
} as const satisfies OptionTree & Record<keyof ConnectionHealthOptions, unknown>;

const FALSE = { accepts: (value: unknown) => value === false, expected: 'false' };

/** What may be false in the place of options. */
export const SHORTHANDS = { memory: FALSE, replication: FALSE, events: FALSE };

const BUILT_IN_MEMORY = { degraded: 0.9 } as const;
const BUILT_IN_REPLICATION = { role: 'master', maxLag: Infinity, minReplicas: 0 } as const;

export const BUILT_IN: ResolvedConnectionHealthOptions = {
  timeout: 1_000,
  memory: BUILT_IN_MEMORY,
  replication: BUILT_IN_REPLICATION,
  persistence: true,
};

/** @param defaults for what the settings leave out */
export function resolveConnection(
  settings: Settings,
  defaults: ResolvedConnectionHealthOptions,
): ResolvedConnectionHealthOptions {
  return {
    timeout: settings.duration('timeout') ?? defaults.timeout,
    memory: resolveMemory(settings, defaults.memory),
    replication: resolveReplication(settings, defaults.replication),
    persistence: settings.boolean('persistence') ?? defaults.persistence,
  };
}

function resolveMemory(
  settings: Settings,
  defaults: ResolvedConnectionHealthOptions['memory'],
): ResolvedConnectionHealthOptions['memory'] {
  const given = settings.find('memory')?.value;
  if (given === false || (given === undefined && !defaults)) return undefined;
  const degraded = settings.converted('memory.degraded', asRatio, 'a number above 0 and up to 1');
  return { degraded: degraded ?? (defaults ?? BUILT_IN_MEMORY).degraded };
}

function resolveReplication(
  settings: Settings,
  defaults: ResolvedConnectionHealthOptions['replication'],
): ResolvedConnectionHealthOptions['replication'] {
  const given = settings.find('replication')?.value;
  if (given === false || (given === undefined && !defaults)) return undefined;
  const { role, maxLag, minReplicas } = defaults ?? BUILT_IN_REPLICATION;
  return {
    role: settings.choice('replication.role', ['master', 'replica', 'any']) ?? role,
    maxLag: settings.converted('replication.maxLag', toBytes, BYTE_SIZE_EXPECTED) ?? maxLag,
    minReplicas:
      settings.integer('replication.minReplicas', { min: 0, expected: 'a number of replicas' }) ??
      minReplicas,
  };
}

function asRatio(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 && value <= 1 ? value : undefined;
}
