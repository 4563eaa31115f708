import type { ConfigurationProblem, Duration } from '../../redis/index.js';
import { resolveOptions, type OptionTree, type Problems, type Settings } from '../../redis/shared.js';
import { InspectionConfigurationError } from './inspection-configuration-error.js';
import type {
  CommandStatsOptions,
  LatencyOptions,
  RedisInspectorOptions,
  SaveOptions,
  SlowLogOptions,
  WatchMemoryOptions,
} from './inspector-options.js';

type Names<T> = Record<keyof T, true>;

const INSPECTOR_OPTIONS = { timeout: true } as const satisfies Names<RedisInspectorOptions>;
const WATCH_OPTIONS = { interval: true, signal: true } as const satisfies Names<WatchMemoryOptions> &
  OptionTree;
const COMMAND_STATS_OPTIONS = { top: true, by: true } as const satisfies Names<CommandStatsOptions>;
const SLOW_LOG_OPTIONS = { count: true, arguments: true } as const satisfies Names<SlowLogOptions>;
const SAVE_OPTIONS = { background: true, wait: true } as const satisfies Names<SaveOptions>;
const LATENCY_OPTIONS = { samples: true } as const satisfies Names<LatencyOptions>;

/** More often, it would measure itself. */
const SHORTEST_INTERVAL = 100;

const MOST_SAMPLES = 10_000;

const COUNT = { min: 1, expected: 'a whole number of 1 or more' };

export interface ResolvedInspectorOptions {
  /** Milliseconds. */
  readonly timeout: number;
}

export interface ResolvedWatchOptions {
  /** Milliseconds. */
  readonly interval: number;
  readonly signal: AbortSignal | undefined;
}

export interface ResolvedSlowLogOptions {
  readonly count: number;
  readonly arguments: boolean;
}

export interface ResolvedSaveOptions {
  /** Milliseconds; 0 where the end is not waited for. */
  readonly wait: number;
}

/** @throws InspectionConfigurationError with every problem that was found, as all below */
export function resolveInspectorOptions(
  options: RedisInspectorOptions,
  subject = 'RedisInspector',
): ResolvedInspectorOptions {
  return resolve(subject, options, INSPECTOR_OPTIONS, (settings) => ({
    timeout: settings.duration('timeout') ?? 5_000,
  }));
}

export function resolveWatchOptions(interval: Duration, options: WatchMemoryOptions): ResolvedWatchOptions {
  const given = { ...options, interval };
  return resolve('RedisInspector.watchMemory', given, WATCH_OPTIONS, (settings, problems) => {
    const milliseconds = settings.duration('interval');
    if (interval === undefined) problems.add('interval', 'is missing');
    if (milliseconds !== undefined && milliseconds < SHORTEST_INTERVAL)
      problems.add('interval', `is ${milliseconds} ms; the shortest is ${SHORTEST_INTERVAL} ms`);
    return { interval: milliseconds ?? SHORTEST_INTERVAL, signal: settings.signal('signal') };
  });
}

export function resolveCommandStatsOptions(options: CommandStatsOptions): Required<CommandStatsOptions> {
  return resolve('RedisInspector.commandStats', options, COMMAND_STATS_OPTIONS, (settings) => ({
    top: settings.integer('top', COUNT) ?? 20,
    by: settings.choice('by', ['calls', 'time']) ?? 'time',
  }));
}

export function resolveSlowLogOptions(options: SlowLogOptions): ResolvedSlowLogOptions {
  return resolve('RedisInspector.slowLog', options, SLOW_LOG_OPTIONS, (settings) => ({
    count: settings.integer('count', COUNT) ?? 20,
    arguments: settings.boolean('arguments') ?? false,
  }));
}

export function resolveSaveOptions(options: SaveOptions): ResolvedSaveOptions {
  return resolve('RedisInspector.save', options, SAVE_OPTIONS, (settings, problems) => {
    const background: unknown = settings.find('background')?.value;
    if (background !== true) {
      const message =
        'must be true: in the foreground (SAVE), the server answers nobody until all is written';
      problems.add('background', message);
    }
    return { wait: settings.duration('wait') ?? 0 };
  });
}

export function resolveLatencyOptions(options: LatencyOptions): Required<LatencyOptions> {
  const rule = { min: 1, max: MOST_SAMPLES, expected: `a whole number from 1 to ${MOST_SAMPLES}` };
  return resolve('RedisInspector.latency', options, LATENCY_OPTIONS, (settings) => ({
    samples: settings.integer('samples', rule) ?? 10,
  }));
}

export function resolve<Resolved>(
  subject: string,
  options: unknown,
  tree: OptionTree,
  read: (settings: Settings, problems: Problems) => Resolved,
): Resolved {
  const toError = (found: readonly ConfigurationProblem[]) =>
    new InspectionConfigurationError(subject, found);
  return resolveOptions({ options, tree, toError }, read);
}
