export * from './cache-errors.js';
export {
  cacheChannel,
  type CacheBackendEvent,
  type CacheEvent,
  type CacheEvents,
  type CacheKeyEvent,
} from './cache-events.js';
export {
  CacheModule,
  type CacheModuleAsyncOptions,
  type CacheModuleExtras,
  type CacheModuleOptions,
  type CacheOptionsFactory,
  type NamedCacheAsyncOptions,
  type NamedCacheOptions,
} from './cache.module.js';
export { CacheService } from './cache.service.js';
export { DEFAULT_CACHE, getCacheToken, InjectCache } from './cache.tokens.js';
export { Caches } from './caches.js';
export { type Codec as CacheCodec } from './codecs/codec.js';
export { CachedError } from './codecs/error-codec.js';
export { type CoherenceMode } from './coherence/coherence.js';
export { CacheNotInjectedError } from './decorators/cache-not-injected-error.js';
export { Cacheable, type CacheableOptions, type CacheAdaptation } from './decorators/cacheable.js';
export { CacheEvict, type CacheEvictOptions } from './decorators/cache-evict.js';
export { CachePut, type CachePutOptions } from './decorators/cache-put.js';
export { CacheConfigurationError } from './options/cache-configuration-error.js';
// By names that tell them from what other modules of rednest call so.
export type {
  CacheInspection,
  CacheOptions,
  CacheResult,
  CacheRootOptions,
  CacheStats,
  CompressionAlgorithm,
  CompressionOptions,
  EntryOptions as CacheEntryOptions,
  Factory as CacheFactory,
  FactoryContext as CacheFactoryContext,
  FactoryOptions as CacheFactoryOptions,
  GetOptions as CacheGetOptions,
  GetOrSetOptions as CacheGetOrSetOptions,
  LocalOptions as CacheLocalOptions,
  MaintenanceOptions as CacheMaintenanceOptions,
  ManyFactory as CacheManyFactory,
  NegativeCachingOptions,
  Progress as CacheProgress,
  SetOptions as CacheSetOptions,
  SweepOptions as CacheSweepOptions,
  WarmOptions as CacheWarmOptions,
} from './options/cache-options.js';
export * from './http/index.js';
export { escapePattern } from './maintenance/glob.js';
export * from './migration/index.js';
