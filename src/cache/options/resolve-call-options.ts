import { type Problems, type Settings } from '../../redis/shared.js';
import { age, numberWithin } from './cache-option-tree.js';
import type { NegativeCachingOptions } from './cache-options.js';
import type { ResolvedCacheOptions } from './resolved-cache-options.js';

type CallOptions = Pick<
  ResolvedCacheOptions,
  'ttl' | 'stale' | 'jitter' | 'softTimeout' | 'hardTimeout' | 'earlyRefresh' | 'errors'
>;

/** The options that a call may give too, with the defaults of a cache that says nothing of them. */
export function resolveCallOptions(settings: Settings, problems: Problems): CallOptions {
  return {
    ttl: age(settings, 'ttl') ?? 300_000,
    stale: age(settings, 'stale', { min: 0 }) ?? 0,
    jitter: numberWithin(settings, 'jitter', { max: 1, expected: 'a share (0 to 1)' }) ?? 0,
    ...resolveTimeouts(settings, problems),
    earlyRefresh:
      numberWithin(settings, 'earlyRefresh', { expected: 'a factor (0 or more; 1 is a good one)' }) ?? 0,
    errors: resolveErrors(settings, problems),
  };
}

function resolveTimeouts(
  settings: Settings,
  problems: Problems,
): Pick<CallOptions, 'softTimeout' | 'hardTimeout'> {
  const softTimeout = settings.duration('softTimeout', { min: 0 }) ?? 0;
  const hardTimeout = settings.duration('hardTimeout');
  if (hardTimeout !== undefined && softTimeout > hardTimeout) {
    const message = `is ${softTimeout} ms, more than hardTimeout (${hardTimeout} ms)`;
    problems.add(settings.label('softTimeout'), message);
  }
  return { softTimeout, hardTimeout };
}

function resolveErrors(settings: Settings, problems: Problems): NegativeCachingOptions | undefined {
  if (settings.find('errors')?.value !== true) return undefined;
  if (!settings.has('errors.ttl'))
    problems.add('errors.ttl', 'is missing: errors are cached for a short time only');
  const when = settings.converted('errors.when', asPredicate, 'a function of the error');
  return { ttl: age(settings, 'errors.ttl') ?? 0, ...(when && { when }) };
}

function asPredicate(value: unknown): ((error: unknown) => boolean) | undefined {
  return typeof value === 'function' ? (value as (error: unknown) => boolean) : undefined;
}
