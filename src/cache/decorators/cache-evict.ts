import { checkKey } from '../../decorators/check-key.js';
import {
  decorateMethod,
  type AsyncMethod,
  type MethodDecoratorFor,
} from '../../decorators/decorate-method.js';
import { type CacheService } from '../cache.service.js';
import { checkTags } from '../options/call-options.js';
import { cacheServiceFor } from './cache-service-for.js';
import { checkDecorator } from './decorator-options.js';

interface EvictionOptions<F extends AsyncMethod> {
  /** Keys to delete, from the arguments of the method. */
  key?: (...args: Parameters<F>) => string | readonly string[];
  /** Tags to invalidate, in all caches. */
  tags?: readonly string[] | ((...args: Parameters<F>) => readonly string[]);
  /** Invalidates everything in the cache; see `CacheService.invalidateAll`. */
  all?: true;
  /**
   * `'after'`: when the method has succeeded. `'before'`: first, and so also where the method then fails; a value that is read
   * between the two is cached.
   *
   * @default 'after'
   */
  when?: 'before' | 'after';
  /** Where this is false, nothing is evicted. @default always */
  condition?: (...args: Parameters<F>) => boolean;
  /** Name of a cache of `CacheModule.forFeature`. @default the default cache */
  cache?: string;
}

/** At least one of `key`, `tags` and `all`. */
export type CacheEvictOptions<F extends AsyncMethod> = EvictionOptions<F> &
  (
    | Required<Pick<EvictionOptions<F>, 'key'>>
    | Required<Pick<EvictionOptions<F>, 'tags'>>
    | Required<Pick<EvictionOptions<F>, 'all'>>
  );

/**
 * Runs the method, and evicts what it makes obsolete. A value that is being made from what was there before is not stored either.
 *
 * `key`, `tags` and `condition` are asked before the method runs: where one of them throws, nothing has been done yet.
 *
 * @throws CacheConfigurationError for wrong options, when the class is defined; CacheNotInjectedError, at a call, on an instance that
 *   Nest did not build; whatever `key`, `tags` and `condition` throw
 * @example
 * \@CacheEvict({ tags: (city) => [`city:${city.id}`] })
 * update(city: City): Promise<City> { … }
 */
export function CacheEvict<F extends AsyncMethod>(options: CacheEvictOptions<F>): MethodDecoratorFor<F> {
  return decorateMethod<F, CacheService>({
    decorator: '@CacheEvict',
    service: cacheServiceFor(options.cache),
    prepare: ({ subject }) => {
      checkDecorator(subject, options, { own: OWN_OPTIONS, needs: ['key', 'tags', 'all'] });
      const { condition, when } = options;
      return async ({ service: cache, args, proceed }) => {
        if (condition && !condition(...args)) return proceed();
        const eviction = evictionOf(subject, options, args);
        if (when === 'before') await evict(cache, eviction);
        const value = await proceed();
        if (when !== 'before') await evict(cache, eviction);
        return value;
      };
    },
  });
}

const OWN_OPTIONS = {
  key: 'function',
  tags: 'tags',
  all: 'true',
  when: 'moment',
  condition: 'function',
  cache: 'text',
} as const;

interface Eviction {
  readonly keys: readonly string[];
  readonly tags: readonly string[];
  readonly all: boolean;
}

function evictionOf<F extends AsyncMethod>(
  subject: string,
  { key, tags = [], all }: EvictionOptions<F>,
  args: Parameters<F>,
): Eviction {
  const keys: unknown = key ? key(...args) : [];
  const wanted = typeof tags === 'function' ? tags(...args) : tags;
  checkTags(wanted, `${subject}: tags`);
  return {
    keys: (Array.isArray(keys) ? keys : [keys]).map((each) => checkKey(subject, each)),
    tags: wanted,
    all: all === true,
  };
}

async function evict(cache: CacheService, { keys, tags, all }: Eviction): Promise<void> {
  await Promise.all([
    keys.length > 0 && cache.delete(keys),
    tags.length > 0 && cache.invalidateTags(tags),
    all && cache.invalidateAll(),
  ]);
}
