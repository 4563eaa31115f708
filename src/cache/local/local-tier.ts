import { LRUCache } from 'lru-cache';
import type { CacheEntry } from '../entry/entry.js';
import { deepFreeze } from './deep-freeze.js';
import { LocalEntry, type LocalPlacement } from './local-entry.js';

/** What an entry costs beside its encoded value, about: the objects that hold it, and its key. */
const OVERHEAD = 400;

/** What is known of a tag costs about so much. Entries may share it: each counts it as if it were its own, so that the bound holds in any case. */
const TAG_OVERHEAD = 480;

export interface LocalTierOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly values: 'shared' | 'cloned' | 'frozen';
  /** Told of entries that had to go to make room. */
  readonly onEvict: (key: string) => void;
}

/** The entries that this process holds itself: least recently used ones go first, when there are too many or they are too large. */
export class LocalTier {
  readonly #entries: LRUCache<string, LocalEntry>;
  readonly #values: 'shared' | 'cloned' | 'frozen';

  constructor({ maxEntries, maxBytes, values, onEvict }: LocalTierOptions) {
    this.#values = values;
    this.#entries = new LRUCache<string, LocalEntry>({
      max: maxEntries,
      maxSize: maxBytes,
      maxEntrySize: maxBytes,
      disposeAfter: (_entry, key, reason) => {
        if (reason === 'evict') onEvict(key);
      },
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get(key: string): LocalEntry | undefined {
    return this.#entries.get(key);
  }

  /** What a hit returns: the object itself or a copy, as the option says. */
  valueOf({ kind, value }: CacheEntry): unknown {
    if (this.#values === 'shared' || kind !== 'value') return value;
    if (this.#values === 'cloned') return structuredClone(value);
    deepFreeze(value);
    return value;
  }

  set(key: string, entry: CacheEntry, placement: LocalPlacement): LocalEntry {
    const local = new LocalEntry(entry, placement);
    this.#entries.set(key, local, { size: this.#sizeOf(key, entry) });
    return local;
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Makes an entry stale, for as long as it may be. */
  expire(key: string, now: number): void {
    const local = this.#entries.get(key);
    if (!local || now >= local.entry.freshUntil) return;
    const { staleUntil, freshUntil } = local.entry;
    if (staleUntil <= freshUntil) this.delete(key);
    else this.#entries.set(key, local.expired(now), { size: this.#sizeOf(key, local.entry) });
  }

  /** @returns the keys that were removed */
  deleteBornBefore(time: number): string[] {
    const old = [...this.#entries].filter(([, { entry }]) => entry.born < time).map(([key]) => key);
    for (const key of old) this.delete(key);
    return old;
  }

  clear(): void {
    this.#entries.clear();
  }

  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  #sizeOf(key: string, { expandedSize, tags }: CacheEntry): number {
    return expandedSize + 2 * key.length + OVERHEAD + tags.length * TAG_OVERHEAD;
  }
}
