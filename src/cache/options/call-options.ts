import { parseDuration, type Duration } from '../../redis/index.js';
import { showValue } from '../../redis/shared.js';
import type {
  EntryOptions,
  FactoryOptions,
  GetOrSetOptions,
  NegativeCachingOptions,
  SetOptions,
} from './cache-options.js';
import type { ResolvedCacheOptions } from './resolved-cache-options.js';

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
    softTimeout: durationOf(call.softTimeout, 'softTimeout') ?? cache.softTimeout,
    hardTimeout: durationOf(call.hardTimeout, 'hardTimeout') ?? cache.hardTimeout,
  };
}

/** Which errors are cached, and for how many milliseconds. */
export function negativeCachingOf(
  call: FactoryOptions | undefined,
  cache: ResolvedCacheOptions,
): { ttl: number; when: NegativeCachingOptions['when'] } | undefined {
  const errors = call?.errors ?? cache.errors;
  return errors ? { ttl: parseDuration(errors.ttl, 'errors.ttl'), when: errors.when } : undefined;
}

/**
 * Looks at the options of a call of `set` before anything is done.
 *
 * @throws RedisConfigurationError for what is no duration; TypeError for what is no share or list of tags
 */
export function checkSetOptions(call: SetOptions | undefined): void {
  if (!call) return;
  durationOf(call.ttl, 'ttl');
  durationOf(call.stale, 'stale');
  shareOf(call.jitter, 'jitter');
  if (call.tags !== undefined) checkTags(call.tags, 'tags');
}

/** The same for `getOrSet`. @throws as {@link checkSetOptions} */
export function checkGetOrSetOptions(call: GetOrSetOptions | undefined): void {
  if (!call) return;
  checkSetOptions(call);
  durationOf(call.softTimeout, 'softTimeout');
  durationOf(call.hardTimeout, 'hardTimeout');
  const { earlyRefresh, errors } = call;
  if (earlyRefresh !== undefined && !(Number.isFinite(earlyRefresh) && earlyRefresh >= 0))
    throw new TypeError(
      `earlyRefresh: ${showValue(earlyRefresh)} is not a factor (0 or more; 1 is a good one)`,
    );
  if (errors) parseDuration(errors.ttl, 'errors.ttl');
}

/** @throws TypeError for what is no list of texts: a text alone would be taken for a list of letters */
export function checkTags(tags: unknown, option: string): asserts tags is readonly string[] {
  const isList = Array.isArray(tags);
  if (isList && tags.every((tag) => typeof tag === 'string')) return;
  const wrong: unknown = isList ? tags.find((tag) => typeof tag !== 'string') : tags;
  throw new TypeError(`${option}: ${showValue(wrong)} is not ${isList ? 'a text' : 'a list of texts'}`);
}

function durationOf(value: Duration | undefined, option: string): number | undefined {
  return value === undefined ? undefined : parseDuration(value, option);
}

function shareOf(value: number | undefined, option: string): number | undefined {
  if (value === undefined || (value >= 0 && value <= 1)) return value;
  throw new TypeError(`${option}: ${showValue(value)} is not a share (a number from 0 to 1)`);
}
