import { asFunction } from '../../keyspace/tell-progress.js';
import type { Problems, Settings } from '../../redis/shared.js';
import { resolve } from '../options/resolve-inspector-options.js';
import type { BigKeysOptions, ScanOptions, StaleKeysOptions, SweepKeysOptions } from './scan-options.js';

type Names<T> = Record<keyof T, true>;

const SCAN_OPTIONS = { match: true, onProgress: true, signal: true } as const satisfies Names<ScanOptions>;
const BIG_KEYS_OPTIONS = {
  ...SCAN_OPTIONS,
  top: true,
  by: true,
  limit: true,
} as const satisfies Names<BigKeysOptions>;
const STALE_KEYS_OPTIONS = {
  ...SCAN_OPTIONS,
  idleFor: true,
  top: true,
  limit: true,
} as const satisfies Names<StaleKeysOptions>;
const SWEEP_OPTIONS = {
  ...SCAN_OPTIONS,
  dryRun: true,
  idleFor: true,
  trustIdleTimes: true,
  olderThan: true,
} as const satisfies Names<SweepKeysOptions>;

const DAY = 86_400_000;
const MOST_LISTED = 10_000;
const TOP = { min: 1, max: MOST_LISTED, expected: `a whole number from 1 to ${MOST_LISTED}` };
const LIMIT = { min: 1, expected: 'a whole number of 1 or more' };
/** No timer waits for it. */
const AGE = { max: Number.MAX_SAFE_INTEGER };
/** Redis has 24 bits for the second in which a key was used: what is idle for longer looks as if it had been used since. */
const LONGEST_IDLE = 2 ** 24 * 1_000;

/** Complete and checked. */
export interface ResolvedScanOptions {
  readonly match: string;
  /** Infinity where all keys are looked at. */
  readonly limit: number;
  readonly onProgress: ScanOptions['onProgress'] | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Complete and checked. */
export interface ResolvedBigKeysOptions extends ResolvedScanOptions {
  readonly top: number;
  readonly by: 'bytes' | 'elements';
}

/** Complete and checked. */
export interface ResolvedStaleKeysOptions extends ResolvedScanOptions {
  /** Milliseconds. */
  readonly idleFor: number;
  readonly top: number;
}

/** Complete and checked. */
export interface ResolvedSweepKeysOptions extends ResolvedScanOptions {
  readonly dryRun: boolean;
  /** Milliseconds. */
  readonly condition: { readonly by: 'idle' | 'trusted idle' | 'age'; readonly atLeast: number };
}

/** @throws InspectionConfigurationError with every problem that was found, as all below */
export function resolveBigKeysOptions(options: BigKeysOptions): ResolvedBigKeysOptions {
  return resolve('RedisInspector.bigKeys', options, BIG_KEYS_OPTIONS, (settings) => ({
    ...readScan(settings),
    top: settings.integer('top', TOP) ?? 20,
    by: settings.choice('by', ['bytes', 'elements']) ?? 'bytes',
  }));
}

export function resolveStaleKeysOptions(options: StaleKeysOptions): ResolvedStaleKeysOptions {
  return resolve('RedisInspector.staleKeys', options, STALE_KEYS_OPTIONS, (settings, problems) => {
    if (!settings.has('idleFor')) problems.add('idleFor', 'is missing: for how long keys were not used');
    return {
      ...readScan(settings),
      idleFor: readIdleFor(settings, problems) ?? 0,
      top: settings.integer('top', TOP) ?? 100,
    };
  });
}

export function resolveSweepKeysOptions(options: SweepKeysOptions): ResolvedSweepKeysOptions {
  return resolve('RedisInspector.sweep', options, SWEEP_OPTIONS, (settings, problems) => {
    if (!settings.has('match'))
      problems.add('match', `is missing: a pattern of the keys that may go, '*' for all of the server`);
    return {
      ...readScan(settings),
      dryRun: settings.boolean('dryRun') ?? false,
      condition: readCondition(settings, problems),
    };
  });
}

function readScan(settings: Settings): ResolvedScanOptions {
  return {
    match: settings.text('match') ?? '*',
    limit: settings.integer('limit', LIMIT) ?? Infinity,
    onProgress: settings.converted('onProgress', asFunction, 'a function') as ScanOptions['onProgress'],
    signal: settings.signal('signal'),
  };
}

function readCondition(settings: Settings, problems: Problems): ResolvedSweepKeysOptions['condition'] {
  const [idleFor, olderThan] = [readIdleFor(settings, problems), settings.duration('olderThan', AGE)];
  const isTrusted = settings.boolean('trustIdleTimes') ?? false;
  if (settings.has('idleFor') === settings.has('olderThan'))
    problems.add('idleFor', 'or olderThan is needed, and not both: which keys shall go');
  if (isTrusted && !settings.has('idleFor')) problems.add('trustIdleTimes', 'means nothing without idleFor');
  if (olderThan !== undefined) return { by: 'age', atLeast: olderThan };
  return { by: isTrusted ? 'trusted idle' : 'idle', atLeast: idleFor ?? 0 };
}

function readIdleFor(settings: Settings, problems: Problems): number | undefined {
  const idleFor = settings.duration('idleFor', AGE);
  if (idleFor === undefined || idleFor < LONGEST_IDLE) return idleFor;
  const days = Math.floor(LONGEST_IDLE / DAY);
  problems.add('idleFor', `is more than ${days} days: the server counts no further, and begins again at 0`);
  return undefined;
}
