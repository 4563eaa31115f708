import { toRedisError, type RedisError, type RedisErrorCode } from '../../redis/index.js';
import type { TimeLimit } from '../../timing/time-limit.js';

/** Faults of the program, or of how it was set up: a Redis that answers so is there, and waiting does not mend them. */
const FAULTS: ReadonlySet<RedisErrorCode> = new Set([
  'REDIS_WRONG_TYPE',
  'REDIS_PERMISSION',
  'REDIS_SCRIPT',
  'REDIS_COMMAND',
]);

/** Milliseconds after an attempt to use Redis again has failed; they double with each. */
const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 2_000;

/** What fails again within so many milliseconds is slow, rather than away: it is tried as seldom as before. */
const RELAPSE = 5_000;

export interface BreakerParts {
  readonly limit: TimeLimit;
  readonly isConnected: () => boolean;
  readonly opened: (reason: string) => void;
  readonly closed: () => void;
}

/** Why a hit could not be counted; undefined for an error that has other causes. */
export function unavailabilityOf(error: unknown): RedisError | undefined {
  const redisError = toRedisError(error);
  return redisError && !FAULTS.has(redisError.code) ? redisError : undefined;
}

/**
 * A circuit breaker (M. Nygard, "Release It!", 2007) for the way to one master. While it is open, one hit at a time is sent to find out whether
 * Redis is back, and none before the one before was answered, be it late: at a server that is paused nothing piles up.
 */
export class Breaker {
  readonly #parts: BreakerParts;
  #isOpen = false;
  #isTrying = false;
  /** Attempts in a row that have failed. */
  #failures = 0;
  /** Of `performance.now()`, as is the next. */
  #retryAt = 0;
  #closedAt = -Infinity;

  constructor(parts: BreakerParts) {
    this.#parts = parts;
  }

  /**
   * Sends a hit, and waits for the reply for as long as the limit says. What is late may still be counted.
   *
   * @returns undefined where nothing is sent
   */
  run<T>(send: () => Promise<T>): Promise<T> | undefined {
    if (!this.#parts.isConnected()) {
      this.#open('not connected');
      // A new connection is tried at once.
      this.#retryAt = 0;
      return undefined;
    }
    return this.#isOpen ? this.#try(send) : this.#parts.limit.apply(send());
  }

  /** A hit that was sent could not be counted. */
  failed(error: RedisError): void {
    this.#open(error.message);
  }

  /** What it was for is no longer there. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#closedAt = performance.now();
    this.#parts.closed();
  }

  #open(reason: string): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const now = performance.now();
    if (now - this.#closedAt >= RELAPSE) this.#failures = 0;
    this.#retryAt = now + this.#pause();
    this.#parts.opened(reason);
  }

  #try<T>(send: () => Promise<T>): Promise<T> | undefined {
    if (this.#isTrying || performance.now() < this.#retryAt) return undefined;
    this.#isTrying = true;
    const reply = send();
    const settled = (): void => {
      this.#isTrying = false;
    };
    reply.then(settled, settled);
    const answer = this.#parts.limit.apply(reply);
    answer.then(
      () => this.close(),
      (error: unknown) => (unavailabilityOf(error) ? this.#failedAgain() : this.close()),
    );
    return answer;
  }

  #failedAgain(): void {
    this.#failures++;
    this.#retryAt = performance.now() + this.#pause();
  }

  /** None before the first attempt: it may have been a moment only. */
  #pause(): number {
    if (this.#failures === 0) return 0;
    return Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** Math.min(this.#failures - 1, 10));
  }
}
