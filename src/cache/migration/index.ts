export { Cache, type CacheItem, type RawValue, type WrapOptions } from './cache-manager.js';
export { CacheInterceptor } from './cache.interceptor.js';
export { CACHE_KEY_METADATA, CACHE_MANAGER, CACHE_TTL_METADATA } from './migration.constants.js';
export {
  CacheCredentials,
  CacheKey,
  type CacheKeyFactory,
  CacheTTL,
  type CacheTTLFactory,
} from './migration.decorators.js';
