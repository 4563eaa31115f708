import { checkKey } from '../../decorators/check-key.js';
import {
  decorateMethod,
  type Around,
  type AsyncMethod,
  type MethodDecoratorFor,
  type Place,
  type Resolved,
} from '../../decorators/decorate-method.js';
import type { Duration } from '../../redis/index.js';
import { type CacheService } from '../cache.service.js';
import { CALL_OPTIONS } from '../options/cache-option-tree.js';
import type { EntryOptions, FactoryContext, FactoryOptions } from '../options/cache-options.js';
import { cacheServiceFor } from './cache-service-for.js';
import { checkDecorator } from './decorator-options.js';
import { isMaking, markCacheable, overridesCacheable, whileMaking } from './nested-calls.js';

/** What is decided for a single value, once it is known. */
export interface CacheAdaptation {
  ttl?: Duration;
  stale?: Duration;
  /** Beside those of the option `tags`. */
  tags?: readonly string[];
  /** Returns the value to those that wait for it, and stores nothing. */
  skip?: boolean;
}

export interface CacheableOptions<F extends AsyncMethod> extends EntryOptions, FactoryOptions {
  /** The key, from the arguments of the method. What it throws, the caller of the method gets. */
  key: (...args: Parameters<F>) => string;
  /** Tags, by which the values can be invalidated. */
  tags?: readonly string[] | ((...args: Parameters<F>) => readonly string[]);
  /** Where this is false, the method just runs: nothing is looked up or stored. @default always */
  condition?: (...args: Parameters<F>) => boolean;
  /** Decides on a value when it has been made. */
  adapt?: (value: Resolved<F>, ...args: Parameters<F>) => CacheAdaptation | undefined;
  /** Name of a cache of `CacheModule.forFeature`. @default the default cache */
  cache?: string;
}

/**
 * Caches what the method's promise resolves to, also `null` and `undefined`. Concurrent calls for one key run the method once, in all
 * processes together; the others get what it gives. Options that are left out are those of the cache.
 *
 * The parameters of the functions are those of the method. Wherever Nest builds the instance it works, request-scoped ones included:
 * there, a value that one request makes is given to others, so a `key` must tell apart what differs between requests.
 *
 * @throws CacheConfigurationError for wrong options, when the class is defined; CacheNotInjectedError, at a call, on an instance that
 *   Nest did not build; whatever `key`, `tags` and `condition` throw
 * @example
 * \@Cacheable({ key: (id) => `city:${id}`, tags: (id) => [`city:${id}`, 'cities'], ttl: '10m' })
 * findOne(id: number): Promise<City> { … }
 */
export function Cacheable<F extends AsyncMethod>(options: CacheableOptions<F>): MethodDecoratorFor<F> {
  const decorate = decorateMethod<F, CacheService>({
    decorator: '@Cacheable',
    service: cacheServiceFor(options.cache),
    prepare: (place) => prepare(options, place),
  });
  return (target, property, descriptor) => {
    decorate(target, property, descriptor);
    markCacheable(descriptor.value!);
  };
}

function prepare<F extends AsyncMethod>(
  options: CacheableOptions<F>,
  { subject, target, property }: Place,
): Around<F, CacheService> {
  const { key, tags, condition, adapt } = options;
  const given = checkDecorator(subject, options, {
    call: CALL_OPTIONS,
    own: { key: 'function', tags: 'tags', condition: 'function', adapt: 'function', cache: 'text' },
    needs: ['key'],
  });
  const constant = typeof tags === 'function' ? given : { ...given, ...(tags && { tags }) };
  const isOverride = overridesCacheable(target, property);
  return ({ service: cache, args, proceed }) => {
    if (condition && !condition(...args)) return proceed();
    const text = checkKey(subject, key(...args));
    if (isMaking(cache, text)) return proceed();
    const factory = async (context: FactoryContext): Promise<Resolved<F>> => {
      const value = await (isOverride ? whileMaking(cache, text, proceed) : proceed());
      if (adapt) applyAdaptation(context, adapt(value, ...args));
      return value;
    };
    return cache.getOrSet(
      text,
      factory,
      typeof tags === 'function' ? { ...given, tags: tags(...args) } : constant,
    );
  };
}

function applyAdaptation(context: FactoryContext, adaptation: CacheAdaptation | undefined): void {
  if (!adaptation) return;
  const { ttl, stale, tags, skip } = adaptation;
  if (ttl !== undefined) context.ttl(ttl);
  if (stale !== undefined) context.staleFor(stale);
  if (tags) context.tag(...tags);
  if (skip) context.skip();
}
