import { parseDuration, type Duration } from '../../redis/index.js';
import type { EntryOptions, FactoryOptions, NegativeCachingOptions } from './cache-options.js';
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

function durationOf(value: Duration | undefined, option: string): number | undefined {
  return value === undefined ? undefined : parseDuration(value, option);
}

function shareOf(value: number | undefined, option: string): number | undefined {
  if (value === undefined || (value >= 0 && value <= 1)) return value;
  throw new TypeError(`${option}: ${String(value)} is not a share (a number from 0 to 1)`);
}
