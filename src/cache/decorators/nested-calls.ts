import { AsyncLocalStorage } from 'node:async_hooks';
import { findsMarked, markMethod } from '../../decorators/marked-methods.js';
import { type CacheService } from '../cache.service.js';

interface Making {
  readonly cache: CacheService;
  readonly key: string;
  readonly outer: Making | undefined;
}

const CACHEABLE = Symbol('rednest:cacheable');

const making = new AsyncLocalStorage<Making>();

/** Marks a method as one that {@link overridesCacheable} finds. */
export function markCacheable(method: object): void {
  markMethod(method, CACHEABLE);
}

/** Whether a class above has a cached method of that name, which `super` may call. */
export function overridesCacheable(target: object, property: string | symbol): boolean {
  return findsMarked(CACHEABLE, property, { first: Object.getPrototypeOf(target) });
}

/** Runs the method, so that {@link isMaking} knows of it in all that it calls. Not free: for methods that override cached ones. */
export function whileMaking<T>(cache: CacheService, key: string, run: () => Promise<T>): Promise<T> {
  return making.run({ cache, key, outer: making.getStore() }, run);
}

/** Whether the value of the key is what the caller makes: it would wait for itself. */
export function isMaking(cache: CacheService, key: string): boolean {
  for (let each = making.getStore(); each; each = each.outer)
    if (each.cache === cache && each.key === key) return true;
  return false;
}
