import type { InjectedService } from '../../decorators/decorate-method.js';
import { DEFAULT_CACHE, getCacheToken } from '../cache.tokens.js';
import { CacheNotInjectedError } from './cache-not-injected-error.js';

/** The cache that a decorated method works with. */
export function cacheServiceFor(cache = DEFAULT_CACHE): InjectedService {
  return {
    token: getCacheToken(cache),
    property: Symbol.for(`rednest:cache:${cache}`),
    title: 'a cache',
    notInjected: (subject) => new CacheNotInjectedError(subject),
  };
}
