import { SetMetadata, type CustomDecorator, type ExecutionContext } from '@nestjs/common';
import { CACHE_CREDENTIALS_METADATA, CACHE_KEY_METADATA, CACHE_TTL_METADATA } from './migration.constants.js';

/** Makes the key of a call; undefined for one that is not cached. */
export type CacheKeyFactory = (context: ExecutionContext) => string | undefined | Promise<string | undefined>;

/** Tells the TTL of a call, in milliseconds. */
export type CacheTTLFactory = (context: ExecutionContext) => number | Promise<number>;

/**
 * The key under which {@link CacheInterceptor} stores what a handler returns, in the place of the URL. Elsewhere than in HTTP, nothing is
 * stored without one.
 *
 * @example @CacheKey('events')
 */
export const CacheKey = (key: string | CacheKeyFactory): CustomDecorator =>
  SetMetadata(CACHE_KEY_METADATA, key);

/**
 * How long {@link CacheInterceptor} stores what a handler returns, or all of a controller do, in milliseconds.
 *
 * @example @CacheTTL(5_000)
 */
export const CacheTTL = (ttl: number | CacheTTLFactory): CustomDecorator =>
  SetMetadata(CACHE_TTL_METADATA, ttl);

/**
 * Whether {@link CacheInterceptor} may share what is returned to a request with credentials (`Authorization`, `Cookie`, or a `user` that a
 * guard has put there) with all others: `'ignore'` where it is the same for everybody who may see it, or the key tells them apart. On
 * a handler or a controller. Without it, such requests are handled without the cache.
 *
 * @example @CacheCredentials('ignore')
 */
export const CacheCredentials = (credentials: 'bypass' | 'ignore'): CustomDecorator =>
  SetMetadata(CACHE_CREDENTIALS_METADATA, credentials);
