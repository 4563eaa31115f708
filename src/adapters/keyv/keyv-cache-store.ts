import { Logger } from '@nestjs/common';
import { escapePattern, type CacheService } from '../../cache/index.js';
import { LimitedWarnings } from '../../logging/limited-warnings.js';
import { RedisError } from '../../redis/index.js';
import { showValue } from '../../redis/shared.js';
import { AdapterConfigurationError } from '../adapter-configuration-error.js';
import { lifetimeOf } from './keyv-lifetime.js';

/** A value for {@link KeyvCacheStore.setMany}. */
export interface KeyvCacheStoreEntry {
  readonly key: string;
  readonly value: unknown;
  /** Milliseconds, as for {@link KeyvCacheStore.set}. */
  readonly ttl?: number | undefined;
}

/**
 * A storage adapter for Keyv 5 and 6 on a cache of rednest, so that what takes a Keyv (cacheable, cache-manager, `@nestjs/cache-manager`, got)
 * has its two tiers: hits come from the memory of the process, and a change in one process is seen by all.
 *
 * Each Keyv is given a store of its own. Several may stand on one cache, beside what the application keeps there: `clear` and `iterator` are
 * about what has the Keyv's namespace, or none where it has none. A value lasts for as long as Keyv says: of the cache's options, `ttl`,
 * `stale` and `jitter` do not apply.
 *
 * Whatever Redis does, no call fails, save that `iterator` throws: reads find nothing, what is set is not kept, and what is deleted or cleared
 * is gone when Redis is back. None waits for Redis longer than the cache's `budget`, save for `clear` and `iterator`, which look at all keys.
 *
 * @example
 * const keyv = new Keyv({ store: new KeyvCacheStore(cache), namespace: 'http', ttl: 60_000 });
 */
export class KeyvCacheStore {
  /** Of the Keyv that uses this store, which sets it. Initialised, since Keyv 6 looks whether there is such a property. */
  namespace: string | undefined = undefined;
  /** Keyv 5 iterates only over what calls itself by a dialect that it knows. */
  readonly opts: Record<string, unknown> = { dialect: 'redis' };
  readonly #cache: CacheService;
  readonly #warnings: LimitedWarnings;

  // Keyv 6 takes only methods that are `async` by themselves for those of a storage adapter.

  /** @throws AdapterConfigurationError for what is no CacheService */
  constructor(cache: CacheService) {
    if (!isCache(cache)) {
      const message = `${showValue(cache)} is not a CacheService`;
      throw new AdapterConfigurationError('KeyvCacheStore', [{ option: 'cache', message }]);
    }
    const logger = new Logger('KeyvCacheStore');
    this.#cache = cache;
    this.#warnings = new LimitedWarnings((message) => logger.warn(message));
  }

  /** The value, never a stale one; undefined where there is none. @throws TypeError for what is no key */
  async get<Value>(key: string): Promise<Value | undefined> {
    return this.#cache.get<Value>(this.#keyOf(key));
  }

  /** The values, in the order of the keys. @throws as {@link get} */
  async getMany<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    return this.#cache.getMany<Value>(keys.map((key) => this.#keyOf(key)));
  }

  /** Whether there is a value. @throws as {@link get} */
  async has(key: string): Promise<boolean> {
    return this.#cache.has(this.#keyOf(key));
  }

  /** Whether there are values, in the order of the keys. @throws as {@link get} */
  async hasMany(keys: string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.has(key)));
  }

  /**
   * Has the cache store a value.
   *
   * @param ttl milliseconds. Without one, or with 0, the value is kept until it is removed or Redis evicts it, for ten years at most; what
   * is there goes where it is negative
   * @returns true: also where the cache does not keep it, since it is too large (`oversize: 'skip'`) or Redis is away
   * @throws CacheValueTooLargeError with `oversize: 'throw'`, CacheSerializationError, TypeError for what is no key
   */
  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    await this.setMany([{ key, value, ttl }]);
    return true;
  }

  /** Has the cache store values, with commands that are sent together. @throws as {@link set}: the others are stored all the same */
  async setMany(entries: readonly KeyvCacheStoreEntry[]): Promise<void> {
    const byLifetime = new Map<number | undefined, [string, unknown][]>();
    for (const { key, value, ttl } of entries) {
      const lifetime = lifetimeOf(ttl);
      const items = byLifetime.get(lifetime) ?? [];
      if (items.push([this.#keyOf(key), value]) === 1) byLifetime.set(lifetime, items);
    }
    const writes = await Promise.allSettled([...byLifetime].map(([ttl, items]) => this.#store(ttl, items)));
    const failure = writes.find((write) => write.status === 'rejected');
    if (failure) throw failure.reason;
  }

  /** Removes a key. @returns whether there was a value just before. @throws as {@link get} */
  async delete(key: string): Promise<boolean> {
    return this.deleteMany([key]);
  }

  /** Removes keys. @returns whether all of them had a value just before. @throws as {@link get} */
  async deleteMany(keys: string[]): Promise<boolean> {
    const known = await this.hasMany(keys);
    await this.#cache.delete(keys.map((key) => this.#keyOf(key)));
    return known.every(Boolean);
  }

  /**
   * Removes what is in the namespace, and nothing else of the cache: it is invalid at once, in all processes, and then removed from Redis page
   * by page. Where that fails, a warning is logged; it stays invalid, and goes when its time is over.
   */
  async clear(): Promise<void> {
    await this.#cache.invalidateTags(this.#tag);
    try {
      await this.#cache.deleteByPattern(`${escapePattern(prefixOf(this.namespace))}*`);
    } catch (error) {
      if (!(error instanceof RedisError)) throw error;
      const place = `Namespace '${this.namespace ?? ''}' of cache '${this.#cache.name}'`;
      const message = `${place} was cleared, but its entries are still in Redis: ${error.message}`;
      this.#warnings.warn(error.code, message);
    }
  }

  /**
   * The keys and values of a namespace, by looking at all keys with SCAN: for maintenance. A key may come more than once. What comes is read
   * through the memory of the process, where it may take the place of other entries.
   *
   * @param namespace by default that of this store
   * @throws RedisError where Redis is away: some may have come by then
   */
  async *iterator<Value>(
    namespace = this.namespace,
  ): AsyncGenerator<[key: string, value: Awaited<Value>], void> {
    const prefix = prefixOf(namespace);
    for await (const keys of this.#cache.keys(`${escapePattern(prefix)}*`)) {
      const values = await this.#cache.getMany<Awaited<Value>>(keys);
      for (const [position, key] of keys.entries()) {
        const value = values[position];
        if (value !== undefined) yield [key.slice(prefix.length), value];
      }
    }
  }

  /** Does nothing: the connection is the application's, and ends with it. */
  async disconnect(): Promise<void> {}

  /** Keyv listens for `error`. There is none to tell of: what concerns Redis, the cache has in its log. */
  on(_event: string, _listener: (...values: never[]) => void): this {
    return this;
  }

  #store(ttl: number | undefined, items: [string, unknown][]): Promise<void> {
    if (ttl === undefined) return this.#cache.delete(items.map(([key]) => key));
    return this.#cache.setMany(items, { ttl, stale: 0, jitter: 0, tags: [this.#tag] });
  }

  #keyOf(key: string): string {
    return prefixOf(this.namespace) + key;
  }

  /** By it all of the namespace is invalid with one command, which is kept while Redis is away. Tags are shared by all caches. */
  get #tag(): string {
    return `keyv:${this.#cache.name}:${prefixOf(this.namespace)}`;
  }
}

/**
 * What keys of a namespace begin with, and no others. Keyv 6 leaves that to the store. Keyv 5 puts one of its own before keys, but two
 * namespaces may share that, and it can be told not to.
 */
function prefixOf(namespace = ''): string {
  return `${namespace.replaceAll('%', '%25').replaceAll(':', '%3A')}:`;
}

/** It may be one that stands in for the cache in a unit test. */
function isCache(cache: unknown): boolean {
  return typeof (cache as Partial<CacheService> | undefined | null)?.invalidateTags === 'function';
}
