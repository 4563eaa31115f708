import { RedisClosedError, retry, type RedisConnection } from '../redis/index.js';

/** Calls, with pauses of one second on average: about a minute, longer than a failover takes. */
const ATTEMPTS = 60;

/** Repeats what a sweep asks of Redis while Redis is away. */
export class Patience {
  readonly #connection: RedisConnection;
  readonly #signal: AbortSignal | undefined;
  readonly #attempts: number;

  /** @param signal ends the waiting */
  constructor(connection: RedisConnection, signal: AbortSignal | undefined, attempts = ATTEMPTS) {
    this.#connection = connection;
    this.#signal = signal;
    this.#attempts = attempts;
  }

  /** @param ask what may be done twice. @throws RedisError */
  ask<T>(ask: () => Promise<T>): Promise<T> {
    const call = (attempt: number): Promise<T> => {
      if (attempt > 1) this.#checkOpen();
      return ask();
    };
    return retry(call, { attempts: this.#attempts, ...(this.#signal && { signal: this.#signal }) });
  }

  /** The application ends: what is refused now will not come back. */
  #checkOpen(): void {
    const { state, name } = this.#connection;
    if (state === 'closing' || state === 'closed')
      throw new RedisClosedError(`Redis connection '${name}' is closed`);
  }
}
