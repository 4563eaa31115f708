/** Bytes that are read at a time, of all streams, roughly. */
const MOST_BYTES = 8 * 1_024 * 1_024;

/** How many entries are read at a time, so that replies are not too large: by the size of those that came last. */
export class ReadSize {
  /** Of an entry, in bytes, roughly. The first ones may be large. */
  #size = 256 * 1_024;

  /** How many entries to read of each stream. */
  count(streams: number): number {
    return Math.max(1, Math.floor(MOST_BYTES / this.#size / streams));
  }

  /** Entries have come, with so many bytes together. */
  note(entries: number, bytes: number): void {
    // At once where they are larger than those before, and slowly where they are smaller.
    this.#size = Math.max(1, bytes / entries, this.#size / 2);
  }
}
