import type { CacheCounters } from './cache-counters.js';
import type { CacheKeys } from './cache-keys.js';
import type { EntrySerializer } from './entry/entry-serializer.js';
import type { LimitedWarnings } from '../logging/limited-warnings.js';
import type { LocalTier } from './local/local-tier.js';
import type { ResolvedCacheOptions } from './options/resolved-cache-options.js';
import type { RedisTier } from './remote/redis-tier.js';
import type { ServerClock } from './server-clock.js';
import type { Shard } from './coherence/shard.js';
import type { Stamp } from './stamps/stamp.js';
import type { Stamps } from './stamps/stamps.js';

/** What the parts of one cache have in common. */
export interface CacheParts {
  readonly options: ResolvedCacheOptions;
  readonly keys: CacheKeys;
  /** What comes before the user's keys in Redis. */
  readonly prefix: string;
  /** Undefined where the cache is local only. */
  readonly tier: RedisTier | undefined;
  /** Undefined where there is no local tier. */
  readonly local: LocalTier | undefined;
  /** The shard of what is not in Redis. */
  readonly localShard: Shard;
  /**
   * `pushed`: every change is told of, our own too. `announced`: those that processes of this namespace make. `unknown`: no change is
   * told of, but local entries are believed for a while. `own`: nobody else makes any.
   */
  readonly changes: 'pushed' | 'announced' | 'unknown' | 'own';
  /** How long, in milliseconds, a local entry is believed without asking again. */
  readonly maxAge: number;
  readonly stamps: Stamps;
  /** The stamp that every entry of the cache depends on. */
  readonly generation: Stamp;
  readonly clock: ServerClock;
  readonly serializer: EntrySerializer;
  readonly counters: CacheCounters;
  readonly warnings: LimitedWarnings;
}
