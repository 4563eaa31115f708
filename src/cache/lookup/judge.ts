import type { CacheParts } from '../cache-parts.js';
import type { StoredRecord } from '../entry/stored-record.js';
import type { CacheEntry } from '../entry/entry.js';
import type { LocalEntry } from '../local/local-entry.js';
import type { LocalTier } from '../local/local-tier.js';
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
      this.#parts.local && entry && status !== 'invalid'
        ? this.#keep(this.#parts.local, reading, entry, stamps, now)
        : undefined;
    if (!local) this.#parts.local?.delete(reading.key);
    return { status, entry, tier: 'redis', local, leaseToken, unreadable };
  }

  #keep(
    local: LocalTier,
    { key, batch, position }: Reading,
    entry: CacheEntry,
    stamps: readonly Stamp[],
    now: number,
  ): LocalEntry | undefined {
    if (!batch.isBelievable(position) && !batch.isUsable(position)) return undefined;
    const { clock, maxAge } = this.#parts;
    const believedUntil = now + Math.min(entry.freshUntil - clock.at(now), maxAge);
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
