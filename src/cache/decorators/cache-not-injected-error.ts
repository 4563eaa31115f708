import { CacheError } from '../cache-errors.js';

/** A decorated method was called on an instance that Nest's container did not build, so that it has no cache. */
export class CacheNotInjectedError extends CacheError {
  readonly code = 'CACHE_NOT_INJECTED';

  /** @param method as in `@Cacheable on CitiesService.findOne` */
  constructor(method: string) {
    super(
      `${method}: this instance has no cache, since Nest's container did not build it. Let Nest build it (not 'new', also not in a ` +
        "useFactory); a unit test takes Test.createTestingModule with passThroughCache() of 'rednest/testing'",
    );
  }
}
