import { hostname } from 'node:os';
import type { Duration } from '../../redis/index.js';
import { flattenOptions, Problems, Settings, type OptionTree } from '../../redis/shared.js';
import { LockConfigurationError } from './lock-configuration-error.js';
import type { LeaseOptions, LockOptions, LockRootOptions, TryLockOptions } from './lock-options.js';
import type { ResolvedLockOptions, ResolvedRootOptions } from './resolved-lock-options.js';

type Names<T> = Record<keyof T, true>;

const LEASE_OPTIONS = { ttl: true, wait: true, renew: true } satisfies Names<LeaseOptions>;

/** The options of an acquisition. */
export const LOCK_OPTIONS = {
  ...LEASE_OPTIONS,
  signal: true,
  reentrant: true,
  atMostFor: true,
  atLeastFor: true,
} as const satisfies OptionTree & Names<LockOptions>;

const { wait: _, ...TRY_OPTIONS } = LOCK_OPTIONS;

const ROOT_OPTIONS = {
  ...LEASE_OPTIONS,
  namespace: true,
  timeout: true,
  onShutdown: true,
  holder: true,
} as const satisfies OptionTree & Names<LockRootOptions>;

const BUILT_IN: ResolvedLockOptions = {
  ttl: 10_000,
  wait: 10_000,
  renew: true,
  signal: undefined,
  reentrant: false,
  atMostFor: Infinity,
  atLeastFor: 0,
};

/** A lease of less would end before Redis has answered. */
const SHORTEST_TTL = 50;

const HOLDER = /^[\w-]{1,40}$/;
const HOLDER_EXPECTED = "a name of up to 40 letters, digits, '_' and '-'";

/** @throws LockConfigurationError with every problem that was found */
export function resolveRootOptions(options: LockRootOptions): ResolvedRootOptions {
  const problems = new Problems();
  const settings = read(options, ROOT_OPTIONS, problems);
  const resolved: ResolvedRootOptions = {
    namespace: settings.namespace('namespace') ?? 'lock',
    timeout: settings.duration('timeout') ?? 1_000,
    onShutdown: settings.choice('onShutdown', ['release', 'expire']) ?? 'release',
    holder: settings.converted('holder', asHolder, HOLDER_EXPECTED) ?? thisProcess(),
    defaults: resolveLock(settings, problems, BUILT_IN),
  };
  problems.throwAs((found) => new LockConfigurationError('LockModule', found));
  return resolved;
}

/**
 * @param defaults for what the options leave out
 * @throws LockConfigurationError with every problem that was found
 */
export function resolveLockOptions(
  subject: string,
  options: LockOptions,
  defaults: ResolvedLockOptions,
): ResolvedLockOptions {
  const problems = new Problems();
  const resolved = resolveLock(read(options, LOCK_OPTIONS, problems), problems, defaults);
  problems.throwAs((found) => new LockConfigurationError(subject, found));
  return resolved;
}

/**
 * As {@link resolveLockOptions}, of an acquisition that does not wait.
 *
 * @throws LockConfigurationError with every problem that was found, one of them a `wait`
 */
export function resolveTryOptions(
  subject: string,
  options: TryLockOptions,
  defaults: ResolvedLockOptions,
): ResolvedLockOptions {
  const problems = new Problems();
  const resolved = resolveLock(read(options, TRY_OPTIONS, problems), problems, { ...defaults, wait: 0 });
  problems.throwAs((found) => new LockConfigurationError(subject, found));
  return resolved;
}

/**
 * Reports what is wrong with options of acquisitions to come, as far as it does not depend on the defaults of the module.
 *
 * @returns the options, with what is built in for what they leave out
 */
export function checkLockSettings(settings: Settings, problems: Problems): ResolvedLockOptions {
  return resolveLock(settings, problems, BUILT_IN);
}

/** @throws LockConfigurationError */
export function resolveTtl(subject: string, ttl: Duration): number {
  return resolveLockOptions(subject, { ttl }, BUILT_IN).ttl;
}

function read(options: unknown, tree: OptionTree, problems: Problems): Settings {
  return new Settings(flattenOptions(options, tree, problems), problems);
}

function resolveLock(
  settings: Settings,
  problems: Problems,
  defaults: ResolvedLockOptions,
): ResolvedLockOptions {
  const ttl = whole(settings.duration('ttl')) ?? defaults.ttl;
  if (ttl < SHORTEST_TTL)
    problems.add(settings.label('ttl'), `is ${ttl} ms; the shortest is ${SHORTEST_TTL} ms`);
  const atMostFor = whole(settings.duration('atMostFor')) ?? defaults.atMostFor;
  if (atMostFor < SHORTEST_TTL)
    problems.add(settings.label('atMostFor'), `is ${atMostFor} ms; the shortest is ${SHORTEST_TTL} ms`);
  const atLeastFor = settings.duration('atLeastFor', { min: 0 }) ?? defaults.atLeastFor;
  if (atLeastFor > atMostFor) {
    const message = `is ${atLeastFor} ms, more than atMostFor (${atMostFor} ms)`;
    problems.add(settings.label('atLeastFor'), message);
  }
  return {
    ttl,
    wait:
      settings.find('wait')?.value === Infinity
        ? Infinity
        : (settings.duration('wait', { min: 0 }) ?? defaults.wait),
    renew: settings.boolean('renew') ?? defaults.renew,
    signal: settings.signal('signal') ?? defaults.signal,
    reentrant: settings.boolean('reentrant') ?? defaults.reentrant,
    atMostFor,
    atLeastFor,
  };
}

/** Redis counts whole milliseconds. */
function whole(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.ceil(milliseconds);
}

function asHolder(value: unknown): string | undefined {
  return typeof value === 'string' && HOLDER.test(value) ? value : undefined;
}

/** The end of a pod's name is what tells it from its replicas. */
function thisProcess(): string {
  const host = hostname()
    .replaceAll(/[^\w-]/g, '-')
    .slice(-24);
  return `${host}-${process.pid}`;
}
