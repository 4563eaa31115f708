import type { CacheParts } from '../cache-parts.js';
import type { StoredRecord } from '../entry/entry-serializer.js';
import type { CacheEntry } from '../entry/entry.js';
import type { LocalEntry } from '../local/local-entry.js';
import { NO_STAMP, type Stamp } from '../stamps/stamp.js';
import type { Found, FoundStatus } from './found.js';
import type { Reading } from './reading.js';

/** Says what a record that was read from Redis is good for, and keeps it in the local tier where it may be. */
export class Judge {
  readonly #parts: CacheParts;

  constructor(parts: CacheParts) {
    this.#parts = parts;
  }

  /**
   * What is found, given what was read.
   *
   * @param stamps what is known of those that the entry depends on
   * @param now `performance.now()`
   */
  judge(reading: Reading, record: StoredRecord, stamps: readonly Stamp[], now: number): Found {
    const { entry, leaseUntil, unreadable } = record;
    const serverNow = this.#parts.clock.at(now);
    const leaseToken = serverNow < leaseUntil ? record.leaseToken : '';
    const status = entry ? statusOf(entry, stamps, serverNow) : 'none';
    const local =
      entry && status !== 'invalid'
        ? this.#keep(reading, entry, stamps, now + entry.freshUntil - serverNow)
        : undefined;
    if (!local) this.#parts.local?.delete(reading.key);
    return { status, entry, tier: 'redis', local, leaseToken, unreadable };
  }

  /** @param freshUntil by `performance.now()` */
  #keep(
    { key, redisKey, batch }: Reading,
    entry: CacheEntry,
    stamps: readonly Stamp[],
    freshUntil: number,
  ): LocalEntry | undefined {
    const { local, maxAge } = this.#parts;
    if (!local || !(batch.isBelievable(redisKey) || batch.isUsable(redisKey))) return undefined;
    const believedUntil = Math.min(freshUntil, performance.now() + maxAge);
    return local.set(key, entry, { shard: batch.shard, epoch: batch.epoch, stamps, believedUntil });
  }
}

/** A stamp was read with the entry, or is believed: in both cases `recent` is what it is. */
function statusOf(entry: CacheEntry, stamps: readonly Stamp[], now: number): FoundStatus {
  for (let i = 0; i < stamps.length; i++) {
    const { recent } = stamps[i]!;
    if (recent !== entry.stamps[i] || recent <= NO_STAMP) return 'invalid';
  }
  if (now < entry.freshUntil) return 'fresh';
  return now < entry.staleUntil ? 'stale' : 'invalid';
}
