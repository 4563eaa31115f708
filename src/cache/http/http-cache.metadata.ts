/** Metadata of handlers and controllers: their {@link HttpCacheOptions}, or false. */
export const HTTP_CACHE_METADATA = 'rednest:http-cache';
