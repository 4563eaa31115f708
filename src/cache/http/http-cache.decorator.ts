import { applyDecorators, Inject, SetMetadata, UseInterceptors } from '@nestjs/common';
import { getCacheToken } from '../cache.tokens.js';
import { HttpCacheInterceptor } from './http-cache.interceptor.js';
import { HTTP_CACHE_METADATA } from './http-cache.metadata.js';
import type { HttpCacheOptions, HttpCacheRequest } from './http-cache-options.js';
import { checked } from './checked.js';
import { answerDirectly } from './direct-answer.js';

/**
 * Caches what a handler answers to GET requests, or what all handlers of a controller do: the bytes that were sent, so that a hit neither runs
 * the handler nor serialises anything. HEAD requests are answered from what GET has stored.
 *
 * On a handler it completes, option by option, what stands on its controller; `@HttpCache(false)` takes one out.
 *
 * Where nothing stands between cache and handler, no interceptor is needed, and Nest gives the method response and request after its own
 * arguments: a spy on it sees them, `overrideInterceptor(HttpCacheInterceptor)` changes nothing (override the cache instead), and a method
 * that is copied to another class leaves the cache behind.
 *
 * @throws CacheConfigurationError for options that are wrong, while the class is defined
 * @example
 * @Get(':id')
 * @HttpCache({ ttl: '1m', stale: '10m', tags: (request) => [`city:${request.params.id}`] })
 * findOne(@Param('id', ParseIntPipe) id: number): Promise<City> { … }
 */
export function HttpCache<Request = HttpCacheRequest>(
  options: HttpCacheOptions<Request> | false = {},
): ClassDecorator & MethodDecorator {
  if (options === false) return SetMetadata(HTTP_CACHE_METADATA, false);
  return applyDecorators(
    checked(options),
    SetMetadata(HTTP_CACHE_METADATA, options),
    direct(options.cache),
    UseInterceptors(HttpCacheInterceptor),
    ...(options.cache === undefined ? [] : [requireCache(options.cache)]),
  );
}

/** On a handler, it may turn out that the interceptor is not needed. */
function direct(cache: string | undefined): MethodDecorator & ClassDecorator {
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    if (name !== undefined && descriptor) answerDirectly(target, name, descriptor, cache);
  };
}

/** Has Nest itself report at boot that there is no cache of that name: an interceptor would find out at the first request. */
function requireCache(name: string): ClassDecorator & MethodDecorator {
  return (target: object) => {
    const prototype = typeof target === 'function' ? (target.prototype as object) : target;
    Inject(getCacheToken(name))(prototype, Symbol(`@HttpCache({ cache: '${name}' })`));
  };
}
