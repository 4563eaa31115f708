export type CacheErrorCode =
  | 'CACHE_FACTORY_TIMEOUT'
  | 'CACHE_VALUE_TOO_LARGE'
  | 'CACHE_SERIALIZATION'
  | 'CACHE_CONFIGURATION'
  | 'CACHE_NOT_INJECTED';

/** What every error of the cache's own extends. What a factory throws is never replaced by one. */
export abstract class CacheError extends Error {
  abstract readonly code: CacheErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No value within `hardTimeout`, and none that could be served instead. The factory runs on, and what it gives is stored. */
export class CacheFactoryTimeoutError extends CacheError {
  readonly code = 'CACHE_FACTORY_TIMEOUT';

  /** @param timeout milliseconds */
  constructor(
    readonly key: string,
    readonly timeout: number,
  ) {
    super(`No value for '${key}' within ${timeout} ms`);
  }
}

/** The encoded value is larger than `maxValueSize`, and `oversize` is `'throw'`. Nothing was stored. */
export class CacheValueTooLargeError extends CacheError {
  readonly code = 'CACHE_VALUE_TOO_LARGE';

  /**
   * @param size bytes of the encoded value
   * @param limit the option `maxValueSize`, in bytes
   */
  constructor(
    readonly key: string,
    readonly size: number,
    readonly limit: number,
  ) {
    super(`The value of '${key}' has ${size} bytes, more than maxValueSize (${limit})`);
  }
}

/** The codec cannot encode the value. Nothing was stored. */
export class CacheSerializationError extends CacheError {
  readonly code = 'CACHE_SERIALIZATION';

  constructor(
    readonly key: string,
    options?: ErrorOptions,
  ) {
    super(`The value of '${key}' cannot be encoded`, options);
  }
}
