import { RedisClosedError, retry, toRedisError, type RedisConnection } from '../redis/index.js';

/** A minute, in milliseconds: longer than a failover takes. */
const LONGEST = 60_000;

/** Repeats what a sweep asks of Redis while Redis is away. */
export class Patience {
  readonly #connection: RedisConnection;
  readonly #signal: AbortSignal | undefined;
  readonly #longest: number;

  /**
   * @param signal ends the waiting
   * @param longest milliseconds after the first call in which there are further ones: the last of them may end later. @default a minute
   */
  constructor(connection: RedisConnection, signal: AbortSignal | undefined, longest = LONGEST) {
    this.#connection = connection;
    this.#signal = signal;
    this.#longest = longest;
  }

  /** @param ask what may be done twice. @throws RedisError */
  async ask<T>(ask: () => Promise<T>): Promise<T> {
    const from = performance.now();
    try {
      return await ask();
    } catch (error) {
      const redisError = toRedisError(error);
      const left = this.#longest - (performance.now() - from);
      if (!redisError?.retryable || this.#signal?.aborted || left <= 0) throw redisError ?? error;
      return this.#askAgain(ask, left);
    }
  }

  /** Not by a number of calls: each may take a moment, or until a connection that says nothing is given up. */
  async #askAgain<T>(ask: () => Promise<T>, left: number): Promise<T> {
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(), left).unref();
    const signal = this.#signal ? AbortSignal.any([this.#signal, end.signal]) : end.signal;
    const call = (): Promise<T> => {
      this.#checkOpen();
      return ask();
    };
    try {
      return await retry(call, { attempts: Number.MAX_SAFE_INTEGER, signal });
    } finally {
      clearTimeout(timer);
    }
  }

  /** The application ends: what is refused now will not come back. */
  #checkOpen(): void {
    const { state, name } = this.#connection;
    if (state === 'closing' || state === 'closed')
      throw new RedisClosedError(`Redis connection '${name}' is closed`);
  }
}
