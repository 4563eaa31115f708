import type { CacheParts } from '../cache-parts.js';
import type { LocalEntry } from '../local/local-entry.js';
import type { ReadBatch } from '../remote/read-batch.js';
import type { RedisTier } from '../remote/redis-tier.js';
import { NO_STAMP, type Stamp } from '../stamps/stamp.js';

/** Stamps that are read, and the batches that they are read in. */
export interface Reads {
  readonly stamps: ReadonlySet<Stamp>;
  readonly batches: ReadonlySet<ReadBatch>;
}

const NOTHING_TO_READ: Reads = { stamps: new Set(), batches: new Set() };

/** The stamps that entries depend on: which they are, which of them have to be read, and having them read. */
export class Dependencies {
  readonly #parts: CacheParts;
  /** What an entry without tags depends on. */
  readonly #generation: readonly Stamp[];

  constructor(parts: CacheParts) {
    this.#parts = parts;
    this.#generation = [parts.generation];
  }

  /** The stamps that an entry of these tags depends on. */
  stampsOf(tags: readonly string[]): readonly Stamp[] {
    if (tags.length === 0) return this.#generation;
    const { stamps, keys, generation } = this.#parts;
    return [...tags.map((tag) => stamps.get(keys.tag(tag))), generation];
  }

  /** Whether a stamp need not be read: a change of it would have been told of, or not long ago. */
  isKnown({ believed, believedAt }: Stamp, now: number): boolean {
    if (believed <= NO_STAMP) return false;
    const { changes, maxAge } = this.#parts;
    return changes !== 'unknown' && now - believedAt < maxAge;
  }

  /** Has the stamps read that are known to be needed, unless they are believed. */
  read(tier: RedisTier, tags: readonly string[], leftover: LocalEntry | undefined, now: number): Reads {
    const isPlain = tags.length === 0 && !leftover;
    if (isPlain && this.isKnown(this.#parts.generation, now)) return NOTHING_TO_READ;
    const wanted = isPlain
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

  /** The stamps that are neither believed nor were read together with the entry: of tags that the caller did not know of. */
  unreadOf(stamps: readonly Stamp[], read: ReadonlySet<Stamp>, now: number): Stamp[] | undefined {
    let unread: Stamp[] | undefined;
    for (const stamp of stamps)
      if (!this.isKnown(stamp, now) && !read.has(stamp)) (unread ??= []).push(stamp);
    return unread;
  }
}
