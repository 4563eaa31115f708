import type { Provider } from '@nestjs/common';
import type { CacheService } from '../cache/cache.service.js';
import { DEFAULT_CACHE, getCacheToken } from '../cache/cache.tokens.js';
import { cacheManagerProviders } from '../cache/migration/cache-manager.providers.js';
import type {
  CacheInspection,
  CacheResult,
  CacheStats,
  Factory,
  FactoryContext,
  ManyFactory,
} from '../cache/options/cache-options.js';

/**
 * Providers of caches that keep nothing, for unit tests without Redis: `@Cacheable`, `@CachePut` and `@CacheEvict` just run the method,
 * and who asks an injected cache makes the value each time. `@Inject(CACHE_MANAGER)` is given such a cache, too.
 *
 * @param names of the caches of `CacheModule.forFeature` that are wanted beside the default one
 * @example
 * const testing = await Test.createTestingModule({ providers: [CitiesService, ...passThroughCache('pages')] }).compile();
 */
export function passThroughCache(...names: readonly string[]): Provider[] {
  const caches = [...new Set([DEFAULT_CACHE, ...names])];
  const providers = caches.map((name) => ({
    provide: getCacheToken(name),
    useFactory: () => new PassThroughCache(name),
  }));
  return [...providers, ...cacheManagerProviders];
}

class PassThroughCache implements Pick<CacheService, keyof CacheService> {
  constructor(readonly name: string) {}

  async get(): Promise<undefined> {}

  async getOrSet<T>(key: string, factory: Factory<T>): Promise<T> {
    return factory(contextOf(key));
  }

  wrap<T>(key: string, factory: Factory<T>): Promise<T> {
    return this.getOrSet(key, factory);
  }

  async getOrSetEntry<T>(key: string, factory: Factory<T>): Promise<CacheResult<T>> {
    return { value: await this.getOrSet(key, factory), status: 'miss', age: 0, freshFor: 0 };
  }

  async set(): Promise<void> {}

  async getMany<T>(keys: readonly string[]): Promise<(T | undefined)[]> {
    return keys.map(() => undefined);
  }

  async setMany(): Promise<void> {}

  async getOrSetMany<T>(keys: readonly string[], factory: ManyFactory<T>): Promise<(T | undefined)[]> {
    const values = await factory([...new Set(keys)], { signal: new AbortController().signal });
    return keys.map((key) => values.get(key));
  }

  async has(): Promise<boolean> {
    return false;
  }

  async delete(): Promise<void> {}

  hitLocally(): undefined {
    return undefined;
  }

  async expire(): Promise<void> {}

  async invalidateTags(): Promise<void> {}

  async invalidateAll(): Promise<void> {}

  async clear(): Promise<void> {}

  async deleteByPattern(): Promise<number> {
    return 0;
  }

  async *keys(): AsyncGenerator<string[], void> {}

  async sweep(): Promise<number> {
    return 0;
  }

  async warm(): Promise<void> {}

  async inspect(key: string): Promise<CacheInspection> {
    return { key, redisKey: key, state: 'missing', local: false, leased: false };
  }

  stats(): CacheStats {
    return {
      localHits: 0,
      redisHits: 0,
      staleHits: 0,
      misses: 0,
      factoryRuns: 0,
      factoryErrors: 0,
      stores: 0,
      invalidations: 0,
      evictions: 0,
      errors: 0,
      localEntries: 0,
      localBytes: 0,
      pendingInvalidations: 0,
      shared: false,
      available: false,
      coherent: false,
    };
  }
}

function contextOf(key: string): FactoryContext {
  const nothing = (): void => undefined;
  const { signal } = new AbortController();
  return { key, stale: undefined, signal, ttl: nothing, staleFor: nothing, tag: nothing, skip: nothing };
}
