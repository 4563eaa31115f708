import type { Duration } from '../../redis/index.js';
import { flattenOptions, Problems, Settings, showValue } from '../../redis/shared.js';
import type { LockLostError } from '../lock-errors.js';
import { LockConfigurationError } from '../options/lock-configuration-error.js';
import type { LockOptions } from '../options/lock-options.js';
import { resolveLockOptions } from '../options/resolve-lock-options.js';
import type { ResolvedLockOptions } from '../options/resolved-lock-options.js';
import type { LeaderTerm } from './leader-term.js';

/** How a leader is elected. */
export interface LeaderOptions {
  /** How long nobody leads where the leader is gone: killed, or cut off from Redis. @default as `LockModule.forRoot` says, '10s' */
  ttl?: Duration;
  /**
   * How long, after a term has ended, what runs under it may take to come to its end until another may lead. A shutdown waits as long, before
   * it closes the connections: hand `term.signal` on to what may take long. @default '5s'
   */
  grace?: Duration;
  /** Ends the candidacy when it is aborted, and the term. */
  signal?: AbortSignal;
}

/** What `Leader.start` calls. */
export interface LeaderCallbacks {
  /**
   * This replica leads. It does so still when the promise has resolved; where it rejects, the error is logged, the term is given up, and
   * the replica stands for election again after a pause.
   */
  elected(term: LeaderTerm): unknown;
  /**
   * It leads no more. Called once for each call of `elected`, when that has come to its end.
   *
   * @param reason undefined where the term was given up: by `stop`, by `signal`, or because `elected` has failed
   */
  deposed?(reason: LockLostError | undefined): unknown;
}

export interface ResolvedLeaderOptions {
  readonly lock: ResolvedLockOptions;
  readonly grace: number;
  readonly signal: AbortSignal | undefined;
}

const LEADER_OPTIONS = { ttl: true, grace: true, signal: true } as const;

/**
 * How long a replica stands for election before it does so anew: as long as its `ttl`, within these bounds. Only an acquisition that ends
 * tells whether Redis can be asked at all.
 */
const CANDIDACY = { shortest: 1_000, longest: 5_000 };

/** @throws LockConfigurationError */
export function resolveLeaderOptions(
  subject: string,
  options: LeaderOptions,
  defaults: ResolvedLockOptions,
): ResolvedLeaderOptions {
  const problems = new Problems();
  const settings = new Settings(flattenOptions(options, LEADER_OPTIONS, problems), problems);
  const grace = settings.duration('grace', { min: 0 }) ?? 5_000;
  problems.throwAs((found) => new LockConfigurationError(subject, found));
  const { ttl, signal } = options;
  const given: LockOptions = { ...(ttl !== undefined && { ttl }), ...(signal !== undefined && { signal }) };
  const lock = resolveLockOptions(subject, given, defaults);
  const wait = Math.min(Math.max(lock.ttl, CANDIDACY.shortest), CANDIDACY.longest);
  return { lock: { ...lock, wait, renew: true }, grace, signal: lock.signal };
}

/** @throws LockConfigurationError */
export function checkCallbacks(subject: string, callbacks: LeaderCallbacks): void {
  const given: { elected?: unknown; deposed?: unknown } = callbacks ?? {};
  const problems = new Problems();
  for (const option of ['elected', 'deposed'] as const) {
    const value = given[option];
    if (typeof value === 'function' || (option === 'deposed' && value === undefined)) continue;
    problems.add(option, `${showValue(value)} is not a function`);
  }
  problems.throwAs((found) => new LockConfigurationError(subject, found));
}

/** @throws LockConfigurationError */
export function resolvePause(subject: string, duration: Duration): number {
  const problems = new Problems();
  const given = new Map([['duration', { option: 'duration', value: duration, source: 'code' as const }]]);
  const pause = new Settings(given, problems).duration('duration', { min: 0 });
  problems.throwAs((found) => new LockConfigurationError(subject, found));
  return pause ?? 0;
}
