/** Injection token of {@link Cache}. */
export const CACHE_MANAGER = 'CACHE_MANAGER';

/** Metadata that {@link CacheKey} sets. */
export const CACHE_KEY_METADATA = 'cache_module:cache_key';

/** Metadata that {@link CacheTTL} sets. */
export const CACHE_TTL_METADATA = 'cache_module:cache_ttl';

/** Metadata that {@link CacheCredentials} sets. */
export const CACHE_CREDENTIALS_METADATA = 'rednest:cache-credentials';
