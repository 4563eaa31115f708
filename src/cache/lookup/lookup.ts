import type { CacheParts } from '../cache-parts.js';
import type { StoredRecord } from '../entry/stored-record.js';
import { checkKey } from '../entry/check-key.js';
import type { CacheEntry } from '../entry/entry.js';
import type { LocalEntry } from '../local/local-entry.js';
import { AWAY } from '../remote/away.js';
import { allDone, type ReadBatch } from '../remote/read-batch.js';
import type { RedisTier } from '../remote/redis-tier.js';
import type { Stamp } from '../stamps/stamp.js';
import { Dependencies, type Reads } from './dependencies.js';
import { foundLocally, NOTHING, type Found } from './found.js';
import { Judge } from './judge.js';
import type { Reading } from './reading.js';

const NO_STAMPS: readonly Stamp[] = [];
const NO_TAGS: readonly string[] = [];
const NO_BATCHES: ReadonlySet<ReadBatch> = new Set();

/** Finds entries: in the local tier, or with one MGET for all that is looked for in a turn of the event loop, stamps included. */
export class Lookup {
  readonly #parts: CacheParts;
  readonly #dependencies: Dependencies;
  readonly #judge: Judge;

  constructor(parts: CacheParts) {
    this.#parts = parts;
    this.#dependencies = new Dependencies(parts);
    this.#judge = new Judge(parts);
  }

  /** The entry of the local tier, if it can be returned as fresh. */
  believed(key: string, now: number): LocalEntry | undefined {
    const local = this.#parts.local?.get(key);
    return local?.isBelieved(now) ? local : undefined;
  }

  /**
   * @param tags of the entry, as far as the caller knows them: their stamps are then read in the same round trip
   * @returns `fresh`, or what else there is; rejects with a TypeError for what is no key
   */
  find(key: string, tags: readonly string[] = NO_TAGS): Promise<Found> {
    return this.use(key, identity, tags);
  }

  /** What `take` makes of what is found: another promise for each hit would cost more than to look for it. */
  use<T>(key: string, take: (found: Found) => T, tags: readonly string[] = NO_TAGS): Promise<T> {
    const leftover = this.#parts.local?.get(key);
    const known = leftover && this.#known(leftover, performance.now());
    return known ? Promise.resolve(known).then(take) : this.#read(key, tags, leftover, take);
  }

  /** As {@link find}, from Redis, whatever the local tier has. */
  read(key: string, tags: readonly string[] = NO_TAGS): Promise<Found> {
    return this.#read(key, tags, this.#parts.local?.get(key), identity);
  }

  /** As {@link find}, for many keys, in the same order. */
  async findMany(keys: readonly string[], tags: readonly string[] = NO_TAGS): Promise<Found[]> {
    const { tier, local } = this.#parts;
    const now = performance.now();
    const found: Found[] = [];
    const readings: Reading[] = [];
    let shared: Reads | undefined;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      const leftover = local?.get(key);
      const known = leftover && this.#known(leftover, now);
      if (known) {
        found[index] = known;
        continue;
      }
      checkKey(key);
      if (!tier) {
        found[index] = this.#away(leftover, now);
        continue;
      }
      // What they have in common is read once.
      const reads = leftover
        ? this.#dependencies.read(tier, tags, leftover, now)
        : (shared ??= this.#dependencies.read(tier, tags, undefined, now));
      readings.push(this.#begin(tier, key, leftover, reads, index));
    }
    if (tier && readings.length > 0) await this.#finishMany(tier, readings, found);
    return found;
  }

  /** The stamps that an entry of these tags depends on. */
  stampsOf(tags: readonly string[]): readonly Stamp[] {
    return this.#dependencies.stampsOf(tags);
  }

  /** Whether a stamp need not be read: a change of it would have been told of, or not long ago. */
  isKnown(stamp: Stamp): boolean {
    return this.#dependencies.isKnown(stamp, performance.now());
  }

  /** Whether the stamps that an entry depends on are believed to be as it has recorded them. */
  areBelieved({ tags, stamps }: CacheEntry): boolean {
    return this.stampsOf(tags).every(({ believed }, position) => believed === stamps[position]);
  }

  /** Whether something that an entry depends on is known to have been invalidated. */
  isInvalidated({ tags, stamps }: CacheEntry): boolean {
    return this.stampsOf(tags).some((stamp, position) => stamp.isInvalid(stamps[position]!));
  }

  /** What can be said of a local entry without asking Redis; undefined where it has to be asked. */
  #known(local: LocalEntry, now: number): Found | undefined {
    if (local.isBelieved(now)) return foundLocally('fresh', local);
    // Another process may have made a new one, of which nobody told.
    if (this.#parts.changes === 'unknown' || !local.isTold()) return undefined;
    if (local.isInvalidated()) return foundLocally('invalid', local);
    if (!local.areStampsBelieved()) return undefined;
    const { entry } = local;
    const serverNow = this.#parts.clock.at(now);
    if (serverNow < entry.freshUntil) return undefined;
    return foundLocally(serverNow < entry.staleUntil ? 'stale' : 'invalid', local);
  }

  /** Redis cannot be asked: what there is locally may have been changed meanwhile. */
  #away(leftover: LocalEntry | undefined, now: number): Found {
    const isUsable =
      leftover && !leftover.isInvalidated() && this.#parts.clock.at(now) < leftover.entry.staleUntil;
    if (!isUsable) return { ...NOTHING, status: 'away' };
    return foundLocally(this.#parts.tier ? 'unsure' : 'stale', leftover);
  }

  #read<T>(
    key: string,
    tags: readonly string[],
    leftover: LocalEntry | undefined,
    take: (found: Found) => T,
  ): Promise<T> {
    try {
      checkKey(key);
    } catch (error) {
      return Promise.reject(error);
    }
    const { tier } = this.#parts;
    const now = performance.now();
    if (!tier) return Promise.resolve(this.#away(leftover, now)).then(take);
    const reading = this.#begin(tier, key, leftover, this.#dependencies.read(tier, tags, leftover, now));
    if (reading.others) return this.#finishTogether(tier, reading, reading.others).then(take);
    const { batch } = reading;
    return batch.done.then(() => {
      const found = this.#finish(tier, reading, batch.answeredAt);
      return found instanceof Promise ? found.then(take) : take(found);
    });
  }

  #begin(
    tier: RedisTier,
    key: string,
    leftover: LocalEntry | undefined,
    { stamps, batches }: Reads,
    index = 0,
  ): Reading {
    const { prefix } = this.#parts;
    const batch = tier.reader.batch(tier.isCluster ? tier.slotOf(prefix + key) : 0);
    const position = batch.add(prefix, key);
    const isApart = batches.size > (batches.has(batch) ? 1 : 0);
    return { key, batch, position, stamps, leftover, others: isApart ? batches : undefined, index };
  }

  #finish(tier: RedisTier, reading: Reading, now: number): Found | Promise<Found> {
    const { batch, position, key } = reading;
    const { local, serializer } = this.#parts;
    const bytes = batch.reply(position);
    if (bytes === AWAY) return this.#away(reading.leftover, now);
    // Who read the same key in the same turn may have decoded it already.
    const decoded = local && this.believed(key, now);
    if (decoded) return { ...foundLocally('fresh', decoded), tier: 'redis' };
    if (bytes === null) {
      local?.delete(key);
      return NOTHING;
    }
    const record = serializer.deserialize(key, bytes);
    if (record instanceof Promise) return this.#finishLate(tier, reading, record);
    const stamps = record.entry ? this.#dependencies.stampsOf(record.entry.tags) : NO_STAMPS;
    if (this.#dependencies.unreadOf(stamps, reading.stamps, now))
      return this.#finishLate(tier, reading, record);
    return this.#judge.judge(reading, record, stamps, now);
  }

  /** Puts what was read where it belongs. */
  async #finishMany(tier: RedisTier, readings: readonly Reading[], found: Found[]): Promise<void> {
    const batches = new Set<ReadBatch>();
    const awaited = new Set<ReadBatch>();
    let last: Reading | undefined;
    for (const reading of readings) {
      // Most are of one batch.
      if (reading.batch !== last?.batch) batches.add(reading.batch);
      if (reading.others !== last?.others) for (const other of reading.others ?? []) awaited.add(other);
      last = reading;
    }
    for (const batch of batches) awaited.add(batch);
    const held = awaited.size > 1 ? batches : NO_BATCHES;
    for (const batch of held) tier.reader.hold(batch);
    const late: Promise<unknown>[] = [];
    try {
      await allDone(awaited);
      const now = performance.now();
      for (const reading of readings) {
        const one = this.#finish(tier, reading, now);
        if (one instanceof Promise) late.push(one.then((found_) => (found[reading.index] = found_)));
        else found[reading.index] = one;
      }
    } finally {
      for (const batch of held) tier.reader.release(batch);
    }
    if (late.length > 0) await Promise.all(late);
  }

  /** What the entry depends on is read from other slots. */
  async #finishTogether(tier: RedisTier, reading: Reading, others: ReadonlySet<ReadBatch>): Promise<Found> {
    tier.reader.hold(reading.batch);
    try {
      await allDone([reading.batch, ...others]);
      return await this.#finish(tier, reading, performance.now());
    } finally {
      tier.reader.release(reading.batch);
    }
  }

  /** Meanwhile the key may change: the batch has to be told until the end. */
  async #finishLate(
    tier: RedisTier,
    reading: Reading,
    pending: StoredRecord | Promise<StoredRecord>,
  ): Promise<Found> {
    tier.reader.hold(reading.batch);
    try {
      const record = await pending;
      const stamps = record.entry ? this.#dependencies.stampsOf(record.entry.tags) : NO_STAMPS;
      const unread = this.#dependencies.unreadOf(stamps, reading.stamps, performance.now());
      await Promise.all((unread ?? []).map((stamp) => tier.reader.readStamp(stamp).done));
      return this.#judge.judge(reading, record, stamps, performance.now());
    } finally {
      tier.reader.release(reading.batch);
    }
  }
}

function identity(found: Found): Found {
  return found;
}
