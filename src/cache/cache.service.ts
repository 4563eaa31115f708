import type { CacheParts } from './cache-parts.js';
import type { CacheEntry } from './entry/entry.js';
import type { Outcome } from './flight/flight.js';
import type { Flights } from './flight/flights.js';
import { GatheringFactory } from './flight/gathering-factory.js';
import type { Inspector } from './maintenance/inspector.js';
import type { Maintenance } from './maintenance/maintenance.js';
import type { Found } from './lookup/found.js';
import type { Lookup } from './lookup/lookup.js';
import type {
  CacheInspection,
  CacheResult,
  CacheStats,
  Factory,
  GetOptions,
  GetOrSetOptions,
  MaintenanceOptions,
  ManyFactory,
  SetOptions,
  SweepOptions,
  WarmOptions,
} from './options/cache-options.js';
import { checkGetOrSetOptions } from './options/call-options.js';
import type { Invalidator } from './store/invalidator.js';
import type { Setter } from './store/setter.js';

/** What a {@link CacheService} is made of. */
export interface CacheServiceParts {
  readonly parts: CacheParts;
  readonly lookup: Lookup;
  readonly flights: Flights;
  readonly setter: Setter;
  readonly invalidator: Invalidator;
  readonly maintenance: Maintenance;
  readonly inspector: Inspector;
}

/**
 * A cache in two tiers: in this process, and in Redis for all of them. A miss is `undefined`; `null` is a value. Whatever Redis does, no call
 * fails or waits for it longer than the option `budget`: reads then find nothing, and invalidations are kept until it is back.
 *
 * @example
 * const city = await cache.getOrSet(key`city:${id}`, () => this.cities.findOne(id), { ttl: '10m', tags: ['cities'] });
 */
export class CacheService {
  readonly #parts: CacheParts;
  readonly #lookup: Lookup;
  readonly #flights: Flights;
  readonly #setter: Setter;
  readonly #invalidator: Invalidator;
  readonly #maintenance: Maintenance;
  readonly #inspector: Inspector;

  /** @internal Caches are made by `CacheModule`. */
  constructor({ parts, lookup, flights, setter, invalidator, maintenance, inspector }: CacheServiceParts) {
    this.#parts = parts;
    this.#lookup = lookup;
    this.#flights = flights;
    this.#setter = setter;
    this.#invalidator = invalidator;
    this.#maintenance = maintenance;
    this.#inspector = inspector;
  }

  /** `'default'`, or as given to `CacheModule.forFeature`. */
  get name(): string {
    return this.#parts.options.name;
  }

  /** The fresh value of a key; undefined where there is none. */
  get<T = unknown>(key: string, options?: GetOptions): Promise<T | undefined> {
    const local = this.#parts.local && this.#lookup.believed(key, performance.now());
    if (!local || local.entry.kind === 'error')
      return this.#lookup.use(key, (found) => this.#take(key, found, options) as T | undefined);
    this.#parts.counters.hitLocally(key);
    return this.#valueOf(local.entry);
  }

  /**
   * The value of a key, made by the factory where there is none: once for all that ask meanwhile, in this process and in the others. So a
   * factory must not ask for its own key: it would wait for itself.
   *
   * @throws what the factory throws, if there is nothing older to serve; CacheFactoryTimeoutError after `hardTimeout`
   */
  getOrSet<T>(key: string, factory: Factory<T>, options?: GetOrSetOptions): Promise<T> {
    const local = options?.forceRefresh ? undefined : this.#lookup.believed(key, performance.now());
    if (!local || local.entry.kind === 'error')
      return this.#flights.resolve(key, factory, options).then(valueOf) as Promise<T>;
    this.#parts.counters.hitLocally(key);
    this.#flights.refreshEarly(key, factory, options, local.entry);
    return this.#valueOf(local.entry);
  }

  /** The same as {@link getOrSet}, by the name that other caches give it. */
  wrap<T>(key: string, factory: Factory<T>, options?: GetOrSetOptions): Promise<T> {
    return this.getOrSet(key, factory, options);
  }

  /** As {@link getOrSet}, and tells where the value came from and how old it is. */
  async getOrSetEntry<T>(
    key: string,
    factory: Factory<T>,
    options?: GetOrSetOptions,
  ): Promise<CacheResult<T>> {
    const mayBeMade = options?.forceRefresh === true || (options?.earlyRefresh ?? 0) !== 0;
    const local = mayBeMade ? undefined : this.hitLocally<T>(key);
    if (local) return local;
    return this.#resultOf(await this.#flights.resolve(key, factory, options)) as CacheResult<T>;
  }

  /**
   * What is fresh in this process, without waiting for anything; undefined where there is nothing, or where it may be time for an early
   * refresh.
   *
   * @internal
   */
  hitLocally<T>(key: string): CacheResult<T> | undefined {
    const { local, counters, options } = this.#parts;
    const entry =
      options.earlyRefresh === 0 ? this.#lookup.believed(key, performance.now())?.entry : undefined;
    if (!entry || entry.kind === 'error') return undefined;
    counters.hitLocally(key);
    const { born, freshUntil } = entry;
    return this.#resultOf({
      value: local!.valueOf(entry),
      status: 'hit',
      born,
      freshUntil,
    }) as CacheResult<T>;
  }

  /** Whether there is a fresh value, a cached `undefined` included. */
  async has(key: string): Promise<boolean> {
    const { status, entry } = await this.#lookup.find(key);
    return status === 'fresh' && entry?.kind !== 'error';
  }

  /** The fresh values of many keys, in the same order: with one MGET for those that are not here. */
  async getMany<T = unknown>(keys: readonly string[], options?: GetOptions): Promise<(T | undefined)[]> {
    const found = await this.#lookup.findMany(keys);
    return found.map((each, position) => this.#take(keys[position]!, each, options)) as (T | undefined)[];
  }

  /**
   * As {@link getOrSet} for many keys: the factory is called with those that this process has to make, usually once. It may leave keys out:
   * their value is undefined, and nothing is stored.
   */
  async getOrSetMany<T>(
    keys: readonly string[],
    factory: ManyFactory<T>,
    options?: GetOrSetOptions,
  ): Promise<(T | undefined)[]> {
    checkGetOrSetOptions(options, this.#parts.options);
    const { one } = new GatheringFactory(factory);
    const found = options?.forceRefresh ? undefined : await this.#lookup.findMany(keys, options?.tags);
    const values = keys.map((key, position) => {
      const known = found?.[position];
      if (known?.status === 'fresh' && known.entry?.kind !== 'error')
        return this.#take(key, known, undefined);
      return this.#flights.resolve(key, one, options, known).then(valueOf);
    });
    return (await allSettledOrThrow(values)) as (T | undefined)[];
  }

  /** Stores a value, whatever there is. @throws CacheValueTooLargeError with `oversize: 'throw'`, CacheSerializationError */
  set(key: string, value: unknown, options?: SetOptions): Promise<void> {
    return this.#setter.set([[key, value]], options);
  }

  /** Stores many values, with commands that are sent together. @throws as {@link set} */
  async setMany(
    entries: Iterable<readonly [key: string, value: unknown]>,
    options?: SetOptions,
  ): Promise<void> {
    return this.#setter.set([...entries], options);
  }

  /** Removes keys, and sees to it that what is being made for them is not stored. */
  delete(keys: string | readonly string[]): Promise<void> {
    return this.#invalidator.delete(listOf(keys));
  }

  /** Makes values stale: the next reader refreshes them, and they still stand in where that fails. Only with the option `stale` is there a difference to {@link delete}. */
  expire(keys: string | readonly string[]): Promise<void> {
    return this.#invalidator.expire(listOf(keys));
  }

  /** Invalidates everything that has one of the tags, in all caches of the namespace, with one command however much that is. */
  invalidateTags(tags: string | readonly string[]): Promise<void> {
    return this.#invalidator.invalidateTags(listOf(tags));
  }

  /** Invalidates everything in this cache, with one command. What is in Redis goes when its time is over. */
  invalidateAll(): Promise<void> {
    return this.#invalidator.invalidateAll();
  }

  /** Invalidates everything in this cache at once, then removes it from Redis page by page. @throws RedisError where that fails: it is invalid all the same */
  clear(options?: MaintenanceOptions): Promise<void> {
    return this.#maintenance.clear(options);
  }

  /**
   * Removes the keys that match a pattern of Redis (`city:*`; see `escapePattern` for what users type), by looking at all keys: for
   * maintenance, not for requests; tags are for those.
   *
   * @returns how many were removed from Redis
   * @throws RedisError
   */
  deleteByPattern(pattern: string, options?: MaintenanceOptions): Promise<number> {
    return this.#maintenance.deleteByPattern(pattern, options);
  }

  /**
   * The keys that match a pattern of Redis, a page at a time, by looking at all keys with SCAN: for maintenance, not for requests. Each key
   * that is there from the beginning to the end is told at least once, and maybe more often, as SCAN does; a failover or slots that are moved
   * meanwhile may hide some. What is under a key may be fresh, stale, invalidated, or only just being made: reading it tells.
   *
   * @param pattern as for {@link deleteByPattern}. @default '*': all keys of this cache
   * @throws RedisError, from the iteration, where Redis is away: some keys may have been told by then
   * @example
   * for await (const keys of cache.keys('city:*')) show(await cache.getMany(keys));
   */
  keys(pattern = '*'): AsyncGenerator<string[], void> {
    return this.#maintenance.keys(pattern);
  }

  /** Removes what was made longer ago than `olderThan`. @returns how many were removed. @throws RedisError */
  sweep(options: SweepOptions): Promise<number> {
    return this.#maintenance.sweep(options);
  }

  /** Fills the cache ahead of use, some keys at a time; those that are fresh are left as they are. @throws what the loader throws */
  async warm<T>(keys: Iterable<string>, loader: ManyFactory<T>, options?: WarmOptions): Promise<void> {
    return this.#maintenance.warm([...keys], (batch) => this.getOrSetMany(batch, loader, options), options);
  }

  /** What there is under a key, whatever its state, without its value. */
  inspect(key: string): Promise<CacheInspection> {
    return this.#inspector.inspect(key);
  }

  stats(): CacheStats {
    return this.#inspector.stats();
  }

  /** A value of the local tier: rejects where it cannot be copied. */
  #valueOf<T>(entry: CacheEntry): Promise<T> {
    try {
      return Promise.resolve(this.#parts.local!.valueOf(entry) as T);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #resultOf({ value, status, born, freshUntil }: Outcome): CacheResult<unknown> {
    const now = this.#parts.clock.now();
    return { value, status, age: Math.max(0, now - born), freshFor: Math.max(0, freshUntil - now) };
  }

  #take(key: string, { status, entry, tier }: Found, options: GetOptions | undefined): unknown {
    const { counters, local } = this.#parts;
    const isServable = options?.stale === true && (status === 'stale' || status === 'unsure');
    if (!entry || entry.kind === 'error' || !(status === 'fresh' || isServable)) {
      counters.miss(key);
      return undefined;
    }
    if (isServable) counters.serveStale(key);
    else if (tier === 'local') counters.hitLocally(key);
    else counters.hitInRedis(key);
    return local ? local.valueOf(entry) : entry.value;
  }
}

function valueOf({ value }: Outcome): unknown {
  return value;
}

function listOf(one: string | readonly string[]): readonly string[] {
  return typeof one === 'string' ? [one] : one;
}

/** Waits for all, so that none is left behind unhandled. @throws the first failure */
async function allSettledOrThrow(values: readonly unknown[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(values);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
