import type { CacheService } from '../cache.service.js';
import type { CacheResult, Factory } from '../options/cache-options.js';

/** Milliseconds for what cache-manager keeps without end, with a TTL of 0: ten years. */
const WITHOUT_END = 10 * 365 * 24 * 60 * 60 * 1000;

/** Milliseconds, or a function of the value that tells them. */
type Milliseconds<T> = number | ((value: T) => number);

/** Options of {@link Cache.wrap}. */
export interface WrapOptions<T> {
  ttl?: Milliseconds<T>;
  /** Refreshes the value in the background when less than this is left of its TTL. */
  refreshThreshold?: Milliseconds<T>;
}

/** A value and when it expires, in milliseconds since the epoch. */
export interface RawValue<T> {
  readonly value: T;
  readonly expires: number;
}

/** One value of {@link Cache.mset}. */
export interface CacheItem<T = unknown> {
  readonly key: string;
  readonly value: T;
  /** Milliseconds. */
  readonly ttl?: number | undefined;
}

/**
 * What `@Inject(CACHE_MANAGER)` gives: the methods of cache-manager 7 on the default {@link CacheService}, for code that is moved from
 * `@nestjs/cache-manager`. TTLs are milliseconds; 0 keeps a value for ten years, and without one it is kept as long as the cache says.
 */
export class Cache {
  readonly #cache: CacheService;
  readonly #refreshing = new Set<string>();

  constructor(cache: CacheService) {
    this.#cache = cache;
  }

  /** The value, or undefined. */
  get<T>(key: string): Promise<T | undefined> {
    return this.#cache.get<T>(key);
  }

  /** The values, in the order of the keys, with undefined for what is missing. */
  mget<T>(keys: string[]): Promise<(T | undefined)[]> {
    return this.#cache.getMany<T>(keys);
  }

  /** Stores a value, and returns it. */
  async set<T>(key: string, value: T, ttl?: number): Promise<T> {
    await this.#cache.set(key, value, ttlOption(ttl));
    return value;
  }

  /** Stores values, and returns the list. */
  async mset<T>(list: CacheItem<T>[]): Promise<CacheItem<T>[]> {
    const byTtl = new Map<number | undefined, [string, T][]>();
    for (const { key, value, ttl } of list) {
      const items = byTtl.get(ttl) ?? [];
      if (items.push([key, value]) === 1) byTtl.set(ttl, items);
    }
    const writes = [...byTtl].map(([ttl, items]) => this.#cache.setMany(items, ttlOption(ttl)));
    await Promise.all(writes);
    return list;
  }

  /** Deletes a key, and returns true, also where there was nothing. */
  async del(key: string): Promise<boolean> {
    await this.#cache.delete(key);
    return true;
  }

  /** Deletes keys. */
  async mdel(keys: string[]): Promise<boolean> {
    await this.#cache.delete(keys);
    return true;
  }

  /** Empties this cache, and no other one on the same server. */
  async clear(): Promise<boolean> {
    await this.#cache.clear();
    return true;
  }

  /** When the value of a key expires, in milliseconds since the epoch; undefined if there is none, or it does not expire. */
  async ttl(key: string): Promise<number | undefined> {
    const { state, freshFor = 0 } = await this.#cache.inspect(key);
    const isWithoutEnd = freshFor > WITHOUT_END / 2;
    return state === 'fresh' && !isWithoutEnd ? expiry(freshFor) : undefined;
  }

  /**
   * The value of a key, made by the function where there is none: once for all who ask for it, in all processes. `undefined` is not
   * stored, as in cache-manager.
   *
   * @throws what the function throws
   */
  wrap<T>(
    key: string,
    make: () => T | Promise<T>,
    ttl?: Milliseconds<T>,
    refreshThreshold?: Milliseconds<T>,
  ): Promise<T>;
  wrap<T>(
    key: string,
    make: () => T | Promise<T>,
    options: WrapOptions<T> & { raw: true },
  ): Promise<RawValue<T>>;
  wrap<T>(key: string, make: () => T | Promise<T>, options: WrapOptions<T>): Promise<T>;
  async wrap<T>(
    key: string,
    make: () => T | Promise<T>,
    ttlOrOptions?: Milliseconds<T> | (WrapOptions<T> & { raw?: true }),
    threshold?: Milliseconds<T>,
  ): Promise<T | RawValue<T>> {
    const given = typeof ttlOrOptions === 'object' ? ttlOrOptions : undefined;
    const ttl = given ? given.ttl : (ttlOrOptions as Milliseconds<T> | undefined);
    const refreshThreshold = given ? given.refreshThreshold : threshold;
    const factory = factoryOf(make, ttl);
    const result = await this.#cache.getOrSetEntry<T>(key, factory);
    this.#refreshIfNear(key, factory, result, refreshThreshold);
    const { value, freshFor } = result;
    return given?.raw ? { value, expires: expiry(freshFor) } : value;
  }

  #refreshIfNear<T>(
    key: string,
    factory: Factory<T>,
    { status, value, freshFor }: CacheResult<T>,
    threshold: Milliseconds<T> | undefined,
  ): void {
    const limit = resolve(threshold, value);
    if (limit === undefined || status !== 'hit' || freshFor >= limit || this.#refreshing.has(key)) return;
    this.#refreshing.add(key);
    const done = (): boolean => this.#refreshing.delete(key);
    // What fails is tried again by the next caller, who still has the value.
    void this.#cache.getOrSet(key, factory, { forceRefresh: true }).then(done, done);
  }
}

function factoryOf<T>(make: () => T | Promise<T>, ttl: Milliseconds<T> | undefined): Factory<T> {
  return async (context) => {
    const value = await make();
    const milliseconds = resolve(ttl, value);
    if (value === undefined) context.skip();
    else if (milliseconds !== undefined) context.ttl(milliseconds || WITHOUT_END);
    return value;
  };
}

function resolve<T>(setting: Milliseconds<T> | undefined, value: T): number | undefined {
  return typeof setting === 'function' ? setting(value) : setting;
}

function ttlOption(ttl: number | undefined): { ttl?: number } {
  return ttl === undefined ? {} : { ttl: ttl || WITHOUT_END };
}

function expiry(freshFor: number): number {
  return Date.now() + freshFor;
}
