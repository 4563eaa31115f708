import { setTimeout as sleep } from 'node:timers/promises';
import { type Duration } from '../options/redis-options.js';
import { parseDuration } from '../options/duration.js';
import { toRedisError } from './classify.js';

export interface RetryOptions {
  /** Calls at most, the first included. @default 5 */
  attempts?: number;
  /** Longest pause before the second call; it doubles with each further one. @default '50ms' */
  initialDelay?: Duration;
  /** Longest pause of all. @default '2s' */
  maxDelay?: Duration;
  /** Ends the waiting; the last error is then thrown. */
  signal?: AbortSignal;
}

/**
 * A pause of exponential backoff with full jitter: evenly random between 0 and `min(maxDelay, initialDelay · 2^(attempt − 1))`
 * milliseconds (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export function backoffWithJitter(attempt: number, initialDelay: number, maxDelay: number): number {
  return Math.random() * Math.min(maxDelay, initialDelay * 2 ** Math.min(attempt - 1, 30));
}

/**
 * Calls `fn` until it succeeds, as long as what it throws is a Redis error that is `retryable`. Give it only what is safe to
 * repeat: a call that failed may have taken effect.
 *
 * @throws the last RedisError, and at once whatever is no Redis error or not retryable.
 * @example
 * await retry(() => redis.set(key, value), { attempts: 3 });
 */
export async function retry<T>(fn: (attempt: number) => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { attempts = 5, signal } = options;
  checkAttempts(attempts);
  const initialDelay = parseDuration(options.initialDelay ?? '50ms', 'initialDelay');
  const maxDelay = parseDuration(options.maxDelay ?? '2s', 'maxDelay');
  for (let attempt = 1; ; attempt++) {
    try {
      return await fn(attempt);
    } catch (error) {
      const redisError = toRedisError(error);
      if (!redisError) throw error;
      if (!redisError.retryable || attempt >= attempts || signal?.aborted) throw redisError;
      await pause(backoffWithJitter(attempt, initialDelay, maxDelay), signal);
      if (signal?.aborted) throw redisError;
    }
  }
}

/** @throws TypeError for what is no number of attempts */
export function checkAttempts(attempts: number): void {
  if (Number.isSafeInteger(attempts) && attempts >= 1) return;
  throw new TypeError(`attempts: ${String(attempts)} is not a number of attempts (an integer of 1 or more)`);
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, signal && { signal }).catch(() => undefined);
}
