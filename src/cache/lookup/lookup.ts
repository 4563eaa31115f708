import type { CacheParts } from '../cache-parts.js';
import type { StoredRecord } from '../entry/entry-serializer.js';
import { checkKey } from '../entry/check-key.js';
import type { CacheEntry } from '../entry/entry.js';
import type { LocalEntry } from '../local/local-entry.js';
import { AWAY } from '../remote/away.js';
import type { ReadBatch } from '../remote/read-batch.js';
import type { RedisTier } from '../remote/redis-tier.js';
import { NO_STAMP, type Stamp } from '../stamps/stamp.js';
import { NOTHING, type Found, type FoundStatus } from './found.js';
import { Judge } from './judge.js';
import type { Reading } from './reading.js';

const NO_STAMPS: readonly Stamp[] = [];
const NO_TAGS: readonly string[] = [];
const NO_BATCHES: ReadonlySet<ReadBatch> = new Set();
const NOTHING_TO_READ: Reads = { stamps: new Set(), batches: NO_BATCHES };

/** Stamps that are read, and the batches that they are read in. */
interface Reads {
  readonly stamps: ReadonlySet<Stamp>;
  readonly batches: ReadonlySet<ReadBatch>;
}

/** Finds entries: in the local tier, or with one MGET for all that is looked for in a turn of the event loop, stamps included. */
export class Lookup {
  readonly #parts: CacheParts;
  /** What an entry without tags depends on. */
  readonly #generation: readonly Stamp[];
  readonly #judge: Judge;

  constructor(parts: CacheParts) {
    this.#parts = parts;
    this.#generation = [parts.generation];
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
    const now = performance.now();
    const leftover = this.#parts.local?.get(key);
    const known = leftover && this.#known(leftover, now);
    return known ? Promise.resolve(known) : this.#read(key, tags, leftover, now);
  }

  /** As {@link find}, from Redis, whatever the local tier has. */
  read(key: string, tags: readonly string[] = NO_TAGS): Promise<Found> {
    return this.#read(key, tags, this.#parts.local?.get(key), performance.now());
  }

  /** As {@link find}, for many keys, in the same order. */
  async findMany(keys: readonly string[], tags: readonly string[] = NO_TAGS): Promise<Found[]> {
    const { tier, local } = this.#parts;
    const now = performance.now();
    let shared: Reads | undefined;
    const looks = keys.map((key): Found | Reading => {
      const leftover = local?.get(key);
      const known = leftover && this.#known(leftover, now);
      if (known) return known;
      checkKey(key);
      if (!tier) return this.#away(leftover, now);
      // What they have in common is read once.
      const reads = leftover
        ? this.#readStamps(tier, tags, leftover, now)
        : (shared ??= this.#readStamps(tier, tags, undefined, now));
      return this.#begin(tier, key, leftover, reads);
    });
    return tier ? this.#finishMany(tier, looks) : (looks as Found[]);
  }

  /** The stamps that an entry of these tags depends on. */
  stampsOf(tags: readonly string[]): readonly Stamp[] {
    if (tags.length === 0) return this.#generation;
    const { stamps, keys, generation } = this.#parts;
    return [...tags.map((tag) => stamps.get(keys.tag(tag))), generation];
  }

  /** Whether a stamp need not be read: a change of it would have been told of, or not long ago. */
  isKnown({ believed, believedAt }: Stamp, now = performance.now()): boolean {
    if (believed <= NO_STAMP) return false;
    const { changes, maxAge } = this.#parts;
    return changes !== 'unknown' && now - believedAt < maxAge;
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

  #read(key: string, tags: readonly string[], leftover: LocalEntry | undefined, now: number): Promise<Found> {
    try {
      checkKey(key);
    } catch (error) {
      return Promise.reject(error);
    }
    const { tier } = this.#parts;
    if (!tier) return Promise.resolve(this.#away(leftover, now));
    const reading = this.#begin(tier, key, leftover, this.#readStamps(tier, tags, leftover, now));
    if (reading.others) return this.#finishTogether(tier, reading, reading.others);
    return reading.batch.done.then(() => this.#finish(tier, reading, performance.now()));
  }

  #begin(tier: RedisTier, key: string, leftover: LocalEntry | undefined, reads: Reads): Reading {
    const redisKey = this.#parts.prefix + key;
    const batch = tier.reader.batch(tier.slotOf(redisKey));
    const position = batch.add(redisKey);
    const { stamps, batches } = reads;
    const isApart = batches.size > (batches.has(batch) ? 1 : 0);
    return { key, redisKey, batch, position, stamps, leftover, others: isApart ? batches : undefined };
  }

  /** Has the stamps read that are known to be needed, unless they are believed. */
  #readStamps(
    tier: RedisTier,
    tags: readonly string[],
    leftover: LocalEntry | undefined,
    now: number,
  ): Reads {
    const wanted =
      tags.length === 0 && !leftover
        ? this.#generation
        : new Set([...this.stampsOf(tags), ...(leftover?.stamps ?? [])]);
    const stamps = new Set<Stamp>();
    const batches = new Set<ReadBatch>();
    for (const stamp of wanted) {
      if (this.isKnown(stamp, now)) continue;
      stamps.add(stamp);
      batches.add(tier.reader.readStamp(stamp));
    }
    return stamps.size > 0 ? { stamps, batches } : NOTHING_TO_READ;
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
    const stamps = record.entry ? this.stampsOf(record.entry.tags) : NO_STAMPS;
    if (this.#unreadOf(stamps, reading, now)) return this.#finishLate(tier, reading, record);
    return this.#judge.judge(reading, record, stamps, now);
  }

  /** The stamps that are neither believed nor were read together with the entry: of tags that the caller did not know of. */
  #unreadOf(stamps: readonly Stamp[], reading: Reading, now: number): Stamp[] | undefined {
    let unread: Stamp[] | undefined;
    for (const stamp of stamps)
      if (!this.isKnown(stamp, now) && !reading.stamps.has(stamp)) (unread ??= []).push(stamp);
    return unread;
  }

  async #finishMany(tier: RedisTier, looks: readonly (Found | Reading)[]): Promise<Found[]> {
    const readings = looks.filter((look) => 'batch' in look);
    const batches = new Set(readings.map(({ batch }) => batch));
    const awaited = new Set(batches);
    for (const others of new Set(readings.map((reading) => reading.others)))
      for (const other of others ?? []) awaited.add(other);
    const held = awaited.size > 1 ? batches : NO_BATCHES;
    for (const batch of held) tier.reader.hold(batch);
    let found: (Found | Promise<Found>)[];
    try {
      await Promise.all(Array.from(awaited, ({ done }) => done));
      const now = performance.now();
      found = looks.map((look) => ('batch' in look ? this.#finish(tier, look, now) : look));
    } finally {
      for (const batch of held) tier.reader.release(batch);
    }
    const areAllThere = !found.some((each) => each instanceof Promise);
    return areAllThere ? (found as Found[]) : Promise.all(found.map(async (each) => each));
  }

  /** What the entry depends on is read from other slots. */
  async #finishTogether(tier: RedisTier, reading: Reading, others: ReadonlySet<ReadBatch>): Promise<Found> {
    tier.reader.hold(reading.batch);
    try {
      await Promise.all([reading.batch.done, ...Array.from(others, ({ done }) => done)]);
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
      const stamps = record.entry ? this.stampsOf(record.entry.tags) : NO_STAMPS;
      const unread = this.#unreadOf(stamps, reading, performance.now());
      await Promise.all((unread ?? []).map((stamp) => tier.reader.readStamp(stamp).done));
      return this.#judge.judge(reading, record, stamps, performance.now());
    } finally {
      tier.reader.release(reading.batch);
    }
  }
}

function foundLocally(status: FoundStatus, local: LocalEntry): Found {
  return { status, entry: local.entry, tier: 'local', local, leaseToken: '' };
}
