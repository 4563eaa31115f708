import { parseDuration, RedisConfigurationError, type Duration } from '../../redis/index.js';
import { showValue } from '../../redis/shared.js';
import { LONGEST_AGE } from './cache-option-tree.js';
import type {
  EntryOptions,
  FactoryOptions,
  GetOrSetOptions,
  NegativeCachingOptions,
  SetOptions,
} from './cache-options.js';
import type { ResolvedCacheOptions } from './resolved-cache-options.js';

/** The most that can be waited for, in milliseconds: one more, and a timer does not wait at all. */
const LONGEST_TIMER = 2_147_483_647;

/** How long an entry lives, in milliseconds, and by what share `ttl` may be shortened. */
export interface Lifetimes {
  readonly ttl: number;
  readonly stale: number;
  readonly jitter: number;
}

/** The lifetimes of a call: its own, and else those of the cache. @throws RedisConfigurationError for what is no duration */
export function lifetimesOf(call: EntryOptions | undefined, cache: ResolvedCacheOptions): Lifetimes {
  if (!call) return cache;
  return {
    ttl: durationOf(call.ttl, 'ttl') ?? cache.ttl,
    stale: durationOf(call.stale, 'stale') ?? cache.stale,
    jitter: shareOf(call.jitter, 'jitter') ?? cache.jitter,
  };
}

/** How long a caller waits, in milliseconds. */
export interface Timeouts {
  readonly softTimeout: number;
  readonly hardTimeout: number | undefined;
}

export function timeoutsOf(call: FactoryOptions | undefined, cache: ResolvedCacheOptions): Timeouts {
  if (!call) return cache;
  return {
    softTimeout: timeoutOf(call.softTimeout, 'softTimeout') ?? cache.softTimeout,
    hardTimeout: timeoutOf(call.hardTimeout, 'hardTimeout') ?? cache.hardTimeout,
  };
}

/** Of a flight: in how many leases it has to end, where no `hardTimeout` says how long its value is waited for. */
const LEASES = 10;

/** For how long a factory may run, in milliseconds, before others make the value without it. */
export function patienceOf(call: FactoryOptions | undefined, cache: ResolvedCacheOptions): number {
  const { hardTimeout = LEASES * cache.lease } = timeoutsOf(call, cache);
  return Math.max(hardTimeout, cache.lease);
}

/** Which errors are cached, and for how many milliseconds. */
export function negativeCachingOf(
  call: FactoryOptions | undefined,
  cache: ResolvedCacheOptions,
): { ttl: number; when: NegativeCachingOptions['when'] } | undefined {
  const errors = call?.errors ?? cache.errors;
  return errors ? { ttl: parseAge(errors.ttl, 'errors.ttl'), when: errors.when } : undefined;
}

/**
 * Looks at the options of a call of `set` before anything is done.
 *
 * @throws RedisConfigurationError for what is no duration, and a `ttl` of 0 where nothing is served stale; TypeError for what is no share or
 * list of tags
 */
export function checkSetOptions(call: SetOptions | undefined, cache: ResolvedCacheOptions): void {
  if (!call) return;
  const { ttl, stale } = lifetimesOf(call, cache);
  if (ttl + stale <= 0) throw faultOf('ttl', `${showValue(call.ttl)} is not more than 0 ms`);
  if (call.tags !== undefined) checkTags(call.tags, 'tags');
}

/** The same for `getOrSet`. @throws as {@link checkSetOptions} */
export function checkGetOrSetOptions(call: GetOrSetOptions | undefined, cache: ResolvedCacheOptions): void {
  if (!call) return;
  checkSetOptions(call, cache);
  timeoutOf(call.softTimeout, 'softTimeout');
  timeoutOf(call.hardTimeout, 'hardTimeout');
  const { earlyRefresh, errors } = call;
  if (earlyRefresh !== undefined && !(Number.isFinite(earlyRefresh) && earlyRefresh >= 0))
    throw new TypeError(
      `earlyRefresh: ${showValue(earlyRefresh)} is not a factor (0 or more; 1 is a good one)`,
    );
  if (!errors) return;
  parseAge(errors.ttl, 'errors.ttl');
  if (errors.when !== undefined && typeof errors.when !== 'function')
    throw new TypeError(`errors.when: ${showValue(errors.when)} is not a function of the error`);
}

/** @throws TypeError for what is no list of texts: a text alone would be taken for a list of letters */
export function checkTags(tags: unknown, option: string): asserts tags is readonly string[] {
  const isList = Array.isArray(tags);
  if (isList && tags.every((tag) => typeof tag === 'string')) return;
  const wrong: unknown = isList ? tags.find((tag) => typeof tag !== 'string') : tags;
  throw new TypeError(`${option}: ${showValue(wrong)} is not ${isList ? 'a text' : 'a list of texts'}`);
}

/**
 * How long something lives, in milliseconds.
 *
 * @throws RedisConfigurationError for what is no duration, or one of more than a hundred years
 */
function parseAge(value: Duration, option: string): number {
  const milliseconds = parseDuration(value, option);
  if (milliseconds <= LONGEST_AGE) return milliseconds;
  throw faultOf(option, `${showValue(value)} is more than ${LONGEST_AGE / 86_400_000} days`);
}

function faultOf(option: string, message: string): RedisConfigurationError {
  return new RedisConfigurationError(undefined, [{ option, message }]);
}

function durationOf(value: Duration | undefined, option: string): number | undefined {
  return value === undefined ? undefined : parseAge(value, option);
}

function timeoutOf(value: Duration | undefined, option: string): number | undefined {
  const milliseconds = value === undefined ? undefined : parseDuration(value, option);
  if (milliseconds === undefined || milliseconds <= LONGEST_TIMER) return milliseconds;
  throw faultOf(option, `${showValue(value)} is more than the 24.8 days that a timer can wait`);
}

function shareOf(value: number | undefined, option: string): number | undefined {
  if (value === undefined || (value >= 0 && value <= 1)) return value;
  throw new TypeError(`${option}: ${showValue(value)} is not a share (a number from 0 to 1)`);
}
