import { Inject, type InjectionToken } from '@nestjs/common';
import { CacheService } from './cache.service.js';

/** Name of the cache that is meant where none is given. */
export const DEFAULT_CACHE = 'default';

/** Injection token of a cache: the class {@link CacheService} for the default one. */
export function getCacheToken(name: string = DEFAULT_CACHE): InjectionToken<CacheService> {
  return name === DEFAULT_CACHE ? CacheService : `rednest:cache:${name}`;
}

/**
 * Injects a cache. The default one is injected by its class, too.
 *
 * @example constructor(@InjectCache('pages') private readonly pages: CacheService) {}
 */
export function InjectCache(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getCacheToken(name));
}
