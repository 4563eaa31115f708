import { toRedisError } from './classify.js';
import { type RedisError, type RedisErrorCode } from './redis-error.js';

export interface FallbackOptions {
  /**
   * The failures that the fallback stands in for.
   * @default unavailable, connection lost, timeout, read-only, out of memory, Cluster, and the pool's two
   */
  on?: readonly RedisErrorCode[];
  /** Told of each failure that was replaced, so that it is not lost. */
  onError?: (error: RedisError) => void;
}

const DEFAULT_CODES: readonly RedisErrorCode[] = [
  'REDIS_UNAVAILABLE',
  'REDIS_CONNECTION_LOST',
  'REDIS_TIMEOUT',
  'REDIS_READ_ONLY',
  'REDIS_OUT_OF_MEMORY',
  'REDIS_CLUSTER',
  'REDIS_POOL_TIMEOUT',
  'REDIS_POOL_EXHAUSTED',
];

/**
 * What `fn` returns, or the fallback when Redis fails. Faults of the program (wrong type, permission, a bug in a script) and errors
 * that do not come from Redis are thrown as they are.
 *
 * @example
 * const visits = await withFallback(() => redis.get(key`visits:${id}`), '0');
 */
export async function withFallback<T, F>(
  fn: () => Promise<T>,
  fallback: F | ((error: RedisError) => F | Promise<F>),
  options: FallbackOptions = {},
): Promise<T | F> {
  try {
    return await fn();
  } catch (error) {
    const redisError = toRedisError(error);
    if (!redisError || !(options.on ?? DEFAULT_CODES).includes(redisError.code)) throw error;
    options.onError?.(redisError);
    return typeof fallback === 'function'
      ? await (fallback as (error: RedisError) => F | Promise<F>)(redisError)
      : fallback;
  }
}
