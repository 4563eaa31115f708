import { isWellFormed } from '../cache-keys.js';
import type { CacheParts } from '../cache-parts.js';
import type { StoredRecord } from '../entry/entry-serializer.js';
import type { CacheEntry } from '../entry/entry.js';
import type { LocalEntry } from '../local/local-entry.js';
import { AWAY } from '../remote/away.js';
import type { ReadBatch } from '../remote/read-batch.js';
import type { RedisTier } from '../remote/redis-tier.js';
import { NO_STAMP, type Stamp } from '../stamps/stamp.js';
import { NOTHING, type Found, type FoundStatus } from './found.js';

const NO_STAMPS: readonly Stamp[] = [];
const NO_TAGS: readonly string[] = [];

/** A key that is being read, and the stamps that are read with it. */
interface Reading {
  readonly key: string;
  readonly batch: ReadBatch;
  readonly position: number;
  readonly stamps: readonly Stamp[];
  /** What the local tier had, and was not believed. */
  readonly leftover: LocalEntry | undefined;
}

/** Finds entries: in the local tier, or with one MGET for all that is looked for in a turn of the event loop, stamps included. */
export class Lookup {
  readonly #parts: CacheParts;
  /** What an entry without tags depends on. */
  readonly #generation: readonly Stamp[];

  constructor(parts: CacheParts) {
    this.#parts = parts;
    this.#generation = [parts.generation];
  }

  /** The entry of the local tier, if it can be returned as fresh. */
  believed(key: string, now: number): LocalEntry | undefined {
    const local = this.#parts.local?.get(key);
    return local?.isBelieved(now) ? local : undefined;
  }

  /**
   * @param tags of the entry, as far as the caller knows them: their stamps are then read in the same round trip
   * @returns `fresh`, or what else there is
   */
  find(key: string, tags: readonly string[] = NO_TAGS): Promise<Found> {
    const leftover = this.#parts.local?.get(key);
    const known = leftover && this.#known(leftover);
    return known ? Promise.resolve(known) : this.read(key, tags, leftover);
  }

  /** As {@link find}, from Redis, whatever the local tier has. */
  read(
    key: string,
    tags: readonly string[] = NO_TAGS,
    leftover = this.#parts.local?.get(key),
  ): Promise<Found> {
    const { tier } = this.#parts;
    if (!tier) return Promise.resolve(this.#away(leftover));
    const { reading, waits } = this.#begin(tier, key, tags, leftover);
    if (waits) return this.#finishTogether(tier, reading, waits);
    return reading.batch.done.then(() => this.#finish(tier, reading));
  }

  /** As {@link find}, for many keys, in the same order. */
  async findMany(keys: readonly string[], tags: readonly string[] = NO_TAGS): Promise<Found[]> {
    const { tier, local } = this.#parts;
    const found: (Found | undefined)[] = Array.from(keys, () => undefined);
    const readings: { reading: Reading; position: number }[] = [];
    const batches = new Set<Promise<void>>();
    keys.forEach((key, position) => {
      const leftover = local?.get(key);
      found[position] = (leftover && this.#known(leftover)) ?? (tier ? undefined : this.#away(leftover));
      if (found[position] || !tier) return;
      const { reading, waits } = this.#begin(tier, key, tags, leftover);
      readings.push({ reading, position });
      batches.add(reading.batch.done);
      for (const wait of waits ?? []) batches.add(wait);
    });
    if (!tier || readings.length === 0) return found as Found[];
    const held = batches.size > 1 ? readings.map(({ reading }) => reading.batch) : [];
    for (const batch of held) tier.reader.hold(batch);
    await Promise.all(batches);
    const late: Promise<void>[] = [];
    for (const { reading, position } of readings) {
      const result = this.#finish(tier, reading);
      if (result instanceof Promise) late.push(result.then((each) => void (found[position] = each)));
      else found[position] = result;
    }
    for (const batch of held) tier.reader.release(batch);
    if (late.length > 0) await Promise.all(late);
    return found as Found[];
  }

  /** The stamps that an entry of these tags depends on. */
  stampsOf(tags: readonly string[]): readonly Stamp[] {
    if (tags.length === 0) return this.#generation;
    const { stamps, keys, generation } = this.#parts;
    return [...tags.map((tag) => stamps.get(keys.tag(tag))), generation];
  }

  /** Whether a stamp need not be read: a change of it would have been told of, or not long ago. */
  isKnown({ believed, believedAt }: Stamp): boolean {
    const { changes, maxAge } = this.#parts;
    return believed > 0 && changes !== 'unknown' && performance.now() - believedAt < maxAge;
  }

  /** Whether the stamps that an entry depends on are believed to be as it has recorded them. */
  areBelieved({ tags, stamps }: CacheEntry): boolean {
    return this.stampsOf(tags).every(({ believed }, position) => believed === stamps[position]);
  }

  /** What can be said of a local entry without asking Redis; undefined where it has to be asked. */
  #known(local: LocalEntry): Found | undefined {
    if (local.isBelieved(performance.now())) return foundLocally('fresh', local);
    // Another process may have made a new one, of which nobody told.
    if (this.#parts.changes === 'unknown' || !local.isTold()) return undefined;
    if (local.isInvalidated()) return foundLocally('invalid', local);
    if (!local.areStampsBelieved()) return undefined;
    const { entry } = local;
    const now = this.#parts.clock.now();
    if (now < entry.freshUntil) return undefined;
    return foundLocally(now < entry.staleUntil ? 'stale' : 'invalid', local);
  }

  /** Redis cannot be asked: what there is locally may have been changed meanwhile. */
  #away(leftover: LocalEntry | undefined): Found {
    const isUsable =
      leftover && !leftover.isInvalidated() && this.#parts.clock.now() < leftover.entry.staleUntil;
    if (!isUsable) return { ...NOTHING, status: 'away' };
    return foundLocally(this.#parts.tier ? 'unsure' : 'stale', leftover);
  }

  #begin(tier: RedisTier, key: string, tags: readonly string[], leftover: LocalEntry | undefined) {
    const redisKey = this.#parts.prefix + key;
    const batch = tier.reader.batch(tier.slotOf(redisKey));
    const position = batch.add(redisKey);
    const stamps = this.#stampsToRead(tags, leftover);
    let waits: Promise<void>[] | undefined;
    for (const stamp of stamps) {
      const other = tier.reader.readStamp(stamp);
      if (other !== batch) (waits ??= []).push(other.done);
    }
    const reading: Reading = { key, batch, position, stamps, leftover };
    return { reading, waits };
  }

  #stampsToRead(tags: readonly string[], leftover: LocalEntry | undefined): readonly Stamp[] {
    if (tags.length === 0 && !leftover)
      return this.isKnown(this.#parts.generation) ? NO_STAMPS : this.#generation;
    const wanted = new Set([...this.stampsOf(tags), ...(leftover?.stamps ?? [])]);
    return [...wanted].filter((stamp) => !this.isKnown(stamp));
  }

  #finish(tier: RedisTier, reading: Reading): Found | Promise<Found> {
    const { batch, position, key } = reading;
    const bytes = batch.reply(position);
    if (bytes === AWAY) return this.#away(reading.leftover);
    // Who read the same key in the same turn may have decoded it already.
    const decoded = this.believed(key, performance.now());
    if (decoded) return { ...foundLocally('fresh', decoded), tier: 'redis' };
    if (bytes === null) {
      this.#parts.local?.delete(key);
      return NOTHING;
    }
    const record = this.#parts.serializer.deserialize(key, bytes);
    if (record instanceof Promise) return this.#finishLate(tier, reading, record);
    const stamps = record.entry ? this.stampsOf(record.entry.tags) : NO_STAMPS;
    if (stamps.some((stamp) => this.#isUnread(stamp, reading)))
      return this.#finishLate(tier, reading, record);
    return this.#judge(reading, record, stamps);
  }

  /** Whether a stamp is neither believed nor read together with the entry: of tags that the caller did not know of. */
  #isUnread(stamp: Stamp, { stamps }: Reading): boolean {
    return !this.isKnown(stamp) && !stamps.includes(stamp);
  }

  /** What the entry depends on is read from other slots. */
  async #finishTogether(tier: RedisTier, reading: Reading, waits: readonly Promise<void>[]): Promise<Found> {
    tier.reader.hold(reading.batch);
    try {
      await Promise.all([reading.batch.done, ...waits]);
      return await this.#finish(tier, reading);
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
      const stamps = record.entry ? this.stampsOf(record.entry.tags) : NO_STAMPS;
      const unknown = stamps.filter((stamp) => this.#isUnread(stamp, reading));
      await Promise.all(unknown.map((stamp) => tier.reader.readStamp(stamp).done));
      return this.#judge(reading, record, stamps);
    } finally {
      tier.reader.release(reading.batch);
    }
  }

  #judge(reading: Reading, record: StoredRecord, stamps: readonly Stamp[]): Found {
    const { key } = reading;
    const { entry, leaseUntil, unreadable } = record;
    const now = this.#parts.clock.now();
    const leaseToken = now < leaseUntil ? record.leaseToken : '';
    if (!entry) {
      this.#parts.local?.delete(key);
      return { ...NOTHING, leaseToken, unreadable };
    }
    const status = statusOf(entry, stamps, now);
    const local = status === 'invalid' ? undefined : this.#keep(reading, entry, stamps, now);
    if (!local) this.#parts.local?.delete(key);
    return { status, entry, tier: 'redis', local, leaseToken };
  }

  #keep(
    { key, batch }: Reading,
    entry: CacheEntry,
    stamps: readonly Stamp[],
    now: number,
  ): LocalEntry | undefined {
    const { local, prefix, maxAge } = this.#parts;
    const redisKey = prefix + key;
    if (!local || !(batch.isBelievable(redisKey) || batch.isUsable(redisKey))) return undefined;
    if (!isWellFormed(key)) return undefined;
    const believedUntil = performance.now() + Math.min(entry.freshUntil - now, maxAge);
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

function foundLocally(status: FoundStatus, local: LocalEntry): Found {
  return { status, entry: local.entry, tier: 'local', local, leaseToken: '' };
}
