import { RedisTimeoutError, toRedisError, type RedisError, type RedisErrorCode } from '../../redis/index.js';
import type { TimeLimit } from '../../timing/time-limit.js';

/** Faults of the program, or of how it was set up: a Redis that answers so is there, and waiting does not mend them. */
const FAULTS: ReadonlySet<RedisErrorCode> = new Set([
  'REDIS_WRONG_TYPE',
  'REDIS_PERMISSION',
  'REDIS_SCRIPT',
  'REDIS_COMMAND',
]);

/** So many late replies, with none in time between them, are an outage. One among others is the loss of its hit alone. */
const LATE_IN_A_ROW = 3;

/** Milliseconds from the first attempt to use Redis again to the next; they double with each. */
const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 2_000;

export interface BreakerParts {
  readonly limit: TimeLimit;
  readonly isConnected: () => boolean;
  readonly opened: (reason: string) => void;
  readonly closed: () => void;
}

/**
 * A circuit breaker (M. Nygard, "Release It!", 2007) for the way to one master. While it is open, one hit at a time is sent to find out whether
 * Redis is back, and none before the one before was answered, be it late: at a server that is paused nothing piles up.
 */
export class Breaker {
  readonly #parts: BreakerParts;
  /** Late replies since the last one in time. */
  #late = 0;
  #isOpen = false;
  #isTrying = false;
  /** Attempts since it has opened. */
  #attempts = 0;
  /** Of `performance.now()`. */
  #retryAt = 0;
  #isRetired = false;

  constructor(parts: BreakerParts) {
    this.#parts = parts;
  }

  /**
   * Sends a hit, and waits for the reply for as long as the limit says. What is late may still be counted.
   *
   * @param otherwise answers a hit that was not sent, or could not be counted
   * @throws what has other causes than that Redis is away; what `otherwise` throws
   */
  run<T>(send: () => Promise<T>, otherwise: (cause?: RedisError) => Promise<T>): Promise<T> {
    if (!this.#parts.isConnected()) {
      this.#open('not connected');
      // A new connection is tried at once.
      this.#retryAt = 0;
      return otherwise();
    }
    if (!this.#isOpen) return this.#await(send(), otherwise);
    if (this.#isTrying || performance.now() < this.#retryAt) return otherwise();
    return this.#await(this.#try(send), otherwise);
  }

  /** What it was for is no longer there: whatever comes of hits that are under way tells nothing. */
  retire(): void {
    this.#isRetired = true;
    this.#close();
  }

  #try<T>(send: () => Promise<T>): Promise<T> {
    this.#isTrying = true;
    this.#retryAt = performance.now() + Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** this.#attempts++);
    const reply = send();
    const settled = (): void => {
      this.#isTrying = false;
    };
    reply.then(settled, settled);
    return reply;
  }

  #await<T>(reply: Promise<T>, otherwise: (cause: RedisError) => Promise<T>): Promise<T> {
    return this.#parts.limit.apply(reply).then(
      (value) => {
        this.#close();
        return value;
      },
      (error: unknown) => {
        const redisError = toRedisError(error);
        if (!redisError || FAULTS.has(redisError.code)) {
          this.#close();
          throw error;
        }
        this.#failed(redisError);
        return otherwise(redisError);
      },
    );
  }

  #failed(error: RedisError): void {
    if (error instanceof RedisTimeoutError && ++this.#late < LATE_IN_A_ROW) return;
    this.#open(error.message);
  }

  #open(reason: string): void {
    if (this.#isOpen || this.#isRetired) return;
    this.#isOpen = true;
    this.#attempts = 0;
    this.#retryAt = 0;
    this.#parts.opened(reason);
  }

  /** Redis has answered in time. */
  #close(): void {
    this.#late = 0;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#parts.closed();
  }
}
