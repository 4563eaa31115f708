import { checkKey } from '../../decorators/check-key.js';
import {
  decorateMethod,
  type AsyncMethod,
  type MethodDecoratorFor,
  type Resolved,
} from '../../decorators/decorate-method.js';
import { type CacheService } from '../cache.service.js';
import type { EntryOptions } from '../options/cache-options.js';
import { ENTRY_OPTIONS } from '../options/cache-option-tree.js';
import { cacheServiceFor } from './cache-service-for.js';
import { checkDecorator } from './decorator-options.js';

export interface CachePutOptions<F extends AsyncMethod> extends EntryOptions {
  /** The key, from what the method gives and its arguments: what is created has its id only then. */
  key: (value: Resolved<F>, ...args: Parameters<F>) => string;
  /** Tags, by which the value can be invalidated. */
  tags?: readonly string[] | ((value: Resolved<F>, ...args: Parameters<F>) => readonly string[]);
  /** Where this is false, nothing is stored. @default always */
  condition?: (value: Resolved<F>, ...args: Parameters<F>) => boolean;
  /** Name of a cache of `CacheModule.forFeature`. @default the default cache */
  cache?: string;
}

/**
 * Always runs the method, and stores what its promise resolves to. Nothing is stored where it is rejected.
 *
 * Of two updates at the same time, the one that ends last is what is cached, whatever the database made of them: where that matters,
 * use {@link CacheEvict}.
 *
 * @throws CacheConfigurationError for wrong options, when the class is defined; CacheNotInjectedError, at a call, on an instance that
 *   Nest did not build; whatever `key`, `tags` and `condition` throw, and what `CacheService.set` does: the method has run by then
 * @example
 * \@CachePut({ key: (city) => `city:${city.id}`, tags: ['cities'] })
 * create(input: CityInput): Promise<City> { … }
 */
export function CachePut<F extends AsyncMethod>(options: CachePutOptions<F>): MethodDecoratorFor<F> {
  return decorateMethod<F, CacheService>({
    decorator: '@CachePut',
    service: cacheServiceFor(options.cache),
    prepare: ({ subject }) => {
      const { key, tags, condition } = options;
      const call = checkDecorator(subject, options, {
        call: ENTRY_OPTIONS,
        own: { key: 'function', tags: 'tags', condition: 'function', cache: 'text' },
        needs: ['key'],
      });
      return async ({ service: cache, args, proceed }) => {
        const value = await proceed();
        if (condition && !condition(value, ...args)) return value;
        const chosen = typeof tags === 'function' ? tags(value, ...args) : tags;
        await cache.set(checkKey(subject, key(value, ...args)), value, {
          ...call,
          ...(chosen && { tags: chosen }),
        });
        return value;
      };
    },
  });
}
