/** What an entry stands for: a value, a faithful `undefined`, or the error of a factory (negative caching). */
export type EntryKind = 'value' | 'undefined' | 'error';

/**
 * A cached value and its ages. It is fresh until `freshUntil`, then stale but servable until `staleUntil`, then gone. All times are the
 * server's, in milliseconds since the epoch.
 */
export interface CacheEntry {
  readonly kind: EntryKind;
  /** The decoded value; for the kind `error`, the Error to throw. */
  readonly value: unknown;
  /** When its factory began. */
  readonly born: number;
  readonly freshUntil: number;
  readonly staleUntil: number;
  /** How long its factory took, in milliseconds. */
  readonly cost: number;
  readonly tags: readonly string[];
  /**
   * The stamps of its tags as they were before its factory ran, in the order of `tags`, with the stamp of the cache's generation at
   * the end. The entry is valid only while every one of them is still the same.
   */
  readonly stamps: readonly number[];
  /** Size of the record in Redis, in bytes. */
  readonly size: number;
  /** The same before it was compressed and encrypted: about what it takes in this process. */
  readonly expandedSize: number;
}
