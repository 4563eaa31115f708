import type { CacheParts } from '../cache-parts.js';
import { NO_EPOCH } from '../coherence/shard.js';
import type { EntryDraft } from '../entry/entry-serializer.js';
import type { Flight } from '../flight/flight.js';
import { AWAY, type Away } from '../remote/away.js';
import { NO_STAMP, type Stamp } from '../stamps/stamp.js';

/** An entry that is about to be written, and what is known of the stamps that it records. */
export interface NewEntry {
  readonly key: string;
  readonly draft: EntryDraft;
  readonly stamps: readonly Stamp[];
}

/** Writes entries to Redis, and to the local tier where nothing would tell of them. */
export class EntryWriter {
  readonly #parts: CacheParts;

  constructor(parts: CacheParts) {
    this.#parts = parts;
  }

  /**
   * What Redis is given of an entry; undefined for one that is too large.
   *
   * @throws CacheValueTooLargeError, CacheSerializationError; the promise rejects with it likewise
   */
  recordOf({ key, draft }: NewEntry): Buffer | undefined | Promise<Buffer | undefined> {
    return this.#parts.serializer.serialize(key, draft);
  }

  /**
   * Stores an entry for the holder of a lease.
   *
   * @param flight told of changes of the key
   * @returns whether it was stored: not where the lease was voided
   */
  async storeLeased(entry: NewEntry, record: Buffer, flight: Flight): Promise<boolean | Away> {
    const { tier } = this.#parts;
    if (!tier) return false;
    // The store script judges what has happened until it runs; this, what happens after.
    const { redisKey: key, token, changes } = flight;
    const slot = tier.slotOf(key);
    const request = { key, slot, token, keep: this.#keepFor(entry.draft), record };
    const storing = tier.writes.store.add(request);
    // Who was given the new value finds it from now on: what is here, or being read, may be older.
    this.#parts.local?.delete(entry.key);
    tier.reader.change([key]);
    tier.reader.close(slot);
    const outcome = await storing;
    // Its caller was told to go on: by now it may have deleted or replaced it.
    if (outcome === AWAY) await this.#keep(entry, record, NO_EPOCH, () => flight.changes === changes);
    if (outcome !== true) return outcome;
    this.#parts.counters.store(entry.key, record.length);
    // The server tells of our own writes too, and the next read brings it here.
    if (this.#parts.changes === 'pushed') return true;
    const isCurrent = flight.changes === changes;
    const shard = tier.shardOf(slot);
    const epoch = shard.armed ? shard.epoch : NO_EPOCH;
    tier.announce([key]);
    const announced = flight.changes;
    if (isCurrent) await this.#keep(entry, record, epoch, () => flight.changes === announced);
    return true;
  }

  /** Stores an entry whatever is there. If Redis is away, what is there is removed when it is back. */
  async set(entry: NewEntry): Promise<void> {
    const { tier, serializer, prefix } = this.#parts;
    if (!tier) return this.keepLocally(entry);
    const record = await serializer.serialize(entry.key, entry.draft);
    // Not before: what is read while it is being encoded is what it replaces.
    this.#parts.local?.delete(entry.key);
    const key = prefix + entry.key;
    const removal = { key, kind: 'remove' } as const;
    // It would never be valid there, and Redis, which has not told of a stamp in time, is not waited for twice.
    if (entry.draft.stamps.includes(NO_STAMP)) return tier.invalidateSoon([removal]);
    if (!record) return tier.invalidate([removal]);
    tier.pending.begin([removal]);
    tier.reader.change([key]);
    let isLate = false;
    // Its caller has been told to go on: by now it may have replaced what is newer.
    const done = () => (isLate ? void tier.invalidate([removal]) : tier.settle(removal));
    const request = { key, slot: tier.slotOf(key), record, keep: this.#keepFor(entry.draft), done };
    if ((await tier.writes.set.add(request)) === AWAY) {
      isLate = true;
      return tier.postpone(removal);
    }
    this.#parts.counters.store(entry.key, record.length);
  }

  /**
   * Keeps an entry in this process only. Where there is a Redis, it is not believed: changes of it would not be heard of.
   *
   * @param isCurrent whether nothing has changed the key meanwhile
   * @throws CacheValueTooLargeError, CacheSerializationError
   */
  async keepLocally(entry: NewEntry, isCurrent = () => true): Promise<void> {
    const { local, serializer, tier, counters } = this.#parts;
    if (!local) return;
    // By way of its bytes, so that a hit returns the same, and shares as little with its maker, as one from Redis.
    const record = await serializer.serialize(entry.key, entry.draft);
    if (!record) return local.delete(entry.key);
    await this.#keep(entry, record, tier ? NO_EPOCH : this.#parts.localShard.epoch, isCurrent);
    counters.store(entry.key, record.length);
  }

  /** @param isCurrent whether nothing has changed the key while it was being decoded, as far as is known */
  async #keep(
    { key, stamps }: NewEntry,
    record: Buffer,
    epoch: number,
    isCurrent = () => true,
  ): Promise<void> {
    const { local, serializer, clock, maxAge, tier, prefix, localShard } = this.#parts;
    if (!local) return;
    const { entry } = await serializer.deserialize(key, record);
    if (!entry || !isCurrent()) return;
    const shard = tier?.shardOf(tier.slotOf(prefix + key)) ?? localShard;
    const believedUntil = performance.now() + Math.min(entry.freshUntil - clock.now(), maxAge);
    const kept = local.set(key, entry, { shard, epoch, stamps, believedUntil });
    // While Redis is away, one in so much time is enough to be made anew.
    if (epoch === NO_EPOCH) kept.refreshAt = performance.now() + this.#parts.options.refreshRetry;
  }

  #keepFor({ staleUntil }: EntryDraft): number {
    return Math.max(1, Math.ceil(staleUntil - this.#parts.clock.now()));
  }
}
