/** What kind of failure it was, stable across drivers and server versions. */
export type RedisErrorCode =
  | 'REDIS_UNAVAILABLE'
  | 'REDIS_CONNECTION_LOST'
  | 'REDIS_TIMEOUT'
  | 'REDIS_AUTH'
  | 'REDIS_TLS'
  | 'REDIS_PERMISSION'
  | 'REDIS_READ_ONLY'
  | 'REDIS_OUT_OF_MEMORY'
  | 'REDIS_WRONG_TYPE'
  | 'REDIS_CLUSTER'
  | 'REDIS_SCRIPT'
  | 'REDIS_COMMAND'
  | 'REDIS_CONFLICT'
  | 'REDIS_POOL_TIMEOUT'
  | 'REDIS_POOL_EXHAUSTED'
  | 'REDIS_CLOSED'
  | 'REDIS_CONFIGURATION';

/**
 * What every error of rednest extends. `cause` holds the driver's own error where there is one.
 *
 * @example
 * if (error instanceof RedisError && error.retryable) response.setHeader('Retry-After', '1');
 */
export abstract class RedisError extends Error {
  abstract readonly code: RedisErrorCode;

  /**
   * Whether the same call may succeed a little later without anybody's doing. It does not say that repeating is harmless:
   * see {@link RedisConnectionLostError}.
   */
  readonly retryable: boolean = false;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
