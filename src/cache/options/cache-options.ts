import type { ByteSize, Duration } from '../../redis/index.js';
import type { Codec } from '../codecs/codec.js';
import type { CoherenceMode } from '../coherence/coherence.js';

export type CompressionAlgorithm = 'gzip' | 'brotli' | 'zstd';

/** What may be said for each call, and for a whole cache. */
export interface EntryOptions {
  /** How long an entry is fresh. @default '5m' */
  ttl?: Duration;
  /** How long after that it may still be served: while it is refreshed in the background, and when its factory fails. @default 0 */
  stale?: Duration;
  /** Shortens each `ttl` by a random share of up to this much (0 to 1), so that what was stored together does not expire together. @default 0 */
  jitter?: number;
}

/** What may be said of how a missing value is made. */
export interface FactoryOptions {
  /** How long a caller waits for a refresh before it is given the stale value. @default 0 */
  softTimeout?: Duration;
  /** How long a caller waits for a value at all; then `CacheFactoryTimeoutError`. The factory runs on, and what it gives is stored. @default none */
  hardTimeout?: Duration;
  /**
   * Refreshes an entry before it expires, with a probability that grows as expiry nears and with the cost of its factory: the factor β of
   * XFetch (Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015). 1 is a good one. @default 0: off
   */
  earlyRefresh?: number;
  /** Caches what a factory throws, for a short time. @default off */
  errors?: NegativeCachingOptions | false;
}

export interface NegativeCachingOptions {
  /** How long the error is thrown again without asking the factory. */
  ttl: Duration;
  /** Which errors. @default all */
  when?: (error: unknown) => boolean;
}

export interface LocalOptions {
  /** @default 10000 */
  maxEntries?: number;
  /** Measured by the size of the encoded values. @default '64mb' */
  maxBytes?: ByteSize;
  /** How long an entry is at most believed without asking Redis again; without Redis it means nothing. @default '1m' with coherence 'tracking', '10s' with 'pubsub', '1s' with 'none' */
  maxAge?: Duration;
  /**
   * What a hit in the local tier returns: the same object each time, a `structuredClone` of it, or the same object deeply frozen (Maps,
   * Sets and Buffers cannot be). @default 'shared'
   */
  values?: 'shared' | 'cloned' | 'frozen';
}

export interface CompressionOptions {
  algorithm: CompressionAlgorithm;
  /** Encoded values of this size or more are compressed. @default '4kb' */
  threshold?: ByteSize;
}

/** Options of one cache: the default one, or a named one. */
export interface CacheOptions extends EntryOptions, FactoryOptions {
  /**
   * How long one process has the right to make a value before others may: the longest that a crash in the middle can hold anybody up. It
   * is renewed while a factory takes longer, until `hardTimeout` (where there is none: ten times); after that others make the value. @default '3s'
   */
  lease?: Duration;
  /** How long after a refresh that failed the stale value is served before it is tried again. @default '1s' */
  refreshRetry?: Duration;
  /** The local tier; `false` for none. */
  local?: LocalOptions | false;
  /** @default 'msgpack' */
  codec?: 'msgpack' | 'json' | Codec;
  /** @default false */
  compression?: CompressionAlgorithm | CompressionOptions | false;
  /**
   * Whether what is stored in Redis is encrypted, by the application's `EncryptionModule.forRoot`: values, cached errors and HTTP responses.
   * An entry is bound to its key, tags and ages. What cannot be decrypted (altered, taken from another key, under a key that this process
   * does not have, or not encrypted) is a miss, with a warning. Not encrypted are keys, tags, times and sizes, and what is in the memory of
   * the process. @default false
   */
  encrypt?: boolean;
  /** Largest encoded value (before compression and encryption). @default '8mb' */
  maxValueSize?: ByteSize;
  /** What happens to a larger one: it is returned and not stored, with a warning, or `CacheValueTooLargeError`. @default 'skip' */
  oversize?: 'skip' | 'throw';
}

/** Options of {@link CacheModule.forRoot}: those of the default cache, which named ones take over, and of all that they share. */
export interface CacheRootOptions extends CacheOptions {
  /** First part of every key, so that several applications can share a server: letters, digits and `. _ - :`. */
  namespace: string;
  /**
   * How the local tiers learn of changes: by the server itself (`CLIENT TRACKING`), by messages that the processes send each other, or not
   * at all. @default 'tracking', or 'pubsub' where the server or the ACL does not allow it
   */
  coherence?: CoherenceMode;
  /** How long a command waits for Redis before the cache does without; up to ten times as long while large values are on their way. @default '50ms' */
  budget?: Duration;
  /** Operations in a row that may exceed the budget before Redis is left alone for `breakerRetry`. @default 3 */
  breakerFailures?: number;
  /** How long Redis is left alone before it is tried again; up to 16 times as long where it keeps being too slow. @default '250ms' */
  breakerRetry?: Duration;
  /** Keys in one command at most. @default 500 */
  batchSize?: number;
  /** Invalidations kept while Redis is away. When there are more, everything cached so far is invalidated instead. @default 10000 */
  pendingInvalidations?: number;
}

/** Options of one call of `set`. */
export interface SetOptions extends EntryOptions {
  tags?: readonly string[];
}

/** Options of one call of `getOrSet`. */
export interface GetOrSetOptions extends SetOptions, FactoryOptions {
  /** Runs the factory whatever is cached, and replaces it. */
  forceRefresh?: boolean;
}

export interface GetOptions {
  /** Whether an entry that is no longer fresh, or not known to be, will do. @default false */
  stale?: boolean;
}

/** What the factory of a value is given. */
export interface FactoryContext {
  readonly key: string;
  /** The value that is refreshed, if there still is one. */
  readonly stale: unknown;
  /** Aborted at the application's shutdown. */
  readonly signal: AbortSignal;
  /** Sets how long this value is fresh. With 0, and no time to be stale, it is not kept. */
  ttl(ttl: Duration): void;
  /** Sets how long it may be served after that. */
  staleFor(stale: Duration): void;
  /** Adds tags. */
  tag(...tags: string[]): void;
  /** Returns the value to those that wait, and stores nothing. */
  skip(): void;
}

export type Factory<T> = (context: FactoryContext) => T | Promise<T>;

/** Makes the values of many keys at once. Keys that are not in the map have no value, and nothing is stored for them. */
export type ManyFactory<T> = (
  keys: string[],
  context: { readonly signal: AbortSignal },
) => ReadonlyMap<string, T> | Promise<ReadonlyMap<string, T>>;

export interface Progress {
  readonly done: number;
  /** Undefined where it is not known. */
  readonly total: number | undefined;
}

export interface MaintenanceOptions {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

export interface SweepOptions extends MaintenanceOptions {
  /** How long ago what is removed was made. */
  olderThan: Duration;
}

export interface WarmOptions extends SetOptions, MaintenanceOptions {
  /** Keys that the loader is given at a time. @default 100 */
  batch?: number;
  /** Loaders that run at a time. @default 4 */
  concurrency?: number;
}

/** A value together with where it came from and how old it is. */
export interface CacheResult<T> {
  readonly value: T;
  /** `miss`: it has just been made, by this call or one that it joined. `stale`: fresh no longer, and being refreshed. */
  readonly status: 'hit' | 'stale' | 'miss';
  /** Milliseconds since it was made. */
  readonly age: number;
  /** Milliseconds for which it is fresh; 0 where it is not, or was not stored. */
  readonly freshFor: number;
}

/** Counters since the start, of one cache in this process. */
export interface CacheStats {
  localHits: number;
  redisHits: number;
  staleHits: number;
  misses: number;
  factoryRuns: number;
  factoryErrors: number;
  stores: number;
  invalidations: number;
  /** Entries that left the local tier to make room. */
  evictions: number;
  errors: number;
  localEntries: number;
  localBytes: number;
  pendingInvalidations: number;
  /** Whether the cache is shared through Redis; false for one without a connection, which caches in this process only. */
  shared: boolean;
  /** Whether Redis is asked at all: of a cache that is shared, it is away, or too slow, where this is false. */
  available: boolean;
  /** Whether the local tier is told of changes. */
  coherent: boolean;
}

/** What {@link CacheService.inspect} tells of a key. */
export interface CacheInspection {
  readonly key: string;
  /** The key in Redis. */
  readonly redisKey: string;
  readonly state: 'fresh' | 'stale' | 'invalidated' | 'missing';
  readonly local: boolean;
  /** Milliseconds, as with {@link CacheResult}. */
  readonly age?: number;
  readonly freshFor?: number;
  readonly staleFor?: number;
  readonly cost?: number;
  readonly size?: number;
  readonly kind?: 'value' | 'undefined' | 'error';
  readonly tags?: readonly string[];
  /** Whether a process is making the value now. */
  readonly leased: boolean;
}
