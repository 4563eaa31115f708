import type { CacheParts } from '../cache-parts.js';
import type { CacheEntry } from '../entry/entry.js';
import type { Outcome } from './flight.js';

/** What a caller is given of an entry. @throws the error that it stands for */
export function outcomeOf({ local }: CacheParts, entry: CacheEntry, status: 'hit' | 'stale'): Outcome {
  if (entry.kind === 'error') throw entry.value;
  const value = local ? local.valueOf(entry) : entry.value;
  return { value, status, born: entry.born, freshUntil: entry.freshUntil };
}

/** The same of one that was found fresh, which counts as a hit. */
export function hitOf(parts: CacheParts, key: string, entry: CacheEntry, tier: 'local' | 'redis'): Outcome {
  if (tier === 'local') parts.counters.hitLocally(key);
  else parts.counters.hitInRedis(key);
  return outcomeOf(parts, entry, 'hit');
}
