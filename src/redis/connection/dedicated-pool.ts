import type { Redis } from 'ioredis';
import { Pool, TimeoutError } from 'tarn';
import { toConnectionError, toRedisError } from '../errors/classify.js';
import {
  RedisClosedError,
  RedisPoolExhaustedError,
  RedisPoolTimeoutError,
  RedisReadOnlyError,
  RedisUnavailableError,
} from '../errors/errors.js';
import type { ResolvedRedisOptions } from '../options/resolved-options.js';
import { connect, cutOff, disconnect, isClean, watchForChanges } from './dedicated-client.js';

/** Each step of connecting has a timeout of its own. One that the pool gave up would go on behind its back, as a connection too many. */
const NEVER = 2 ** 31 - 1;

/** How a pool is doing. */
export interface PoolStats {
  /** Connections in use. */
  used: number;
  /** Connections open and free. */
  free: number;
  /** Takers that wait. */
  waiting: number;
}

/** Connections to one server that are held by one taker at a time. */
export class DedicatedPool {
  readonly #pool: Pool<Redis>;
  readonly #options: ResolvedRedisOptions;
  readonly #waiting = new Set<{ reject(error: unknown): void }>();
  readonly #open = new Set<Redis>();
  /** Given back, and about to prove that they are clean. */
  readonly #returning = new Set<Redis>();
  #current = new WeakSet<Redis>();
  #closed = false;

  /** @param create makes a client that is not connected yet */
  constructor(options: ResolvedRedisOptions, create: () => Redis) {
    this.#options = options;
    const { size, acquireTimeout, idleTimeout } = options.pool;
    this.#pool = new Pool<Redis>({
      create: () => this.#connect(create()),
      validate: (client) => client.status === 'ready' && this.#current.has(client),
      destroy: disconnect,
      min: 0,
      max: size,
      acquireTimeoutMillis: acquireTimeout,
      createTimeoutMillis: NEVER,
      idleTimeoutMillis: idleTimeout,
      propagateCreateError: true,
    });
  }

  get stats(): PoolStats {
    const returning = this.#returning.size;
    return {
      used: this.#pool.numUsed() - returning,
      free: this.#pool.numFree() + returning,
      waiting: this.#pool.numPendingAcquires(),
    };
  }

  /**
   * Runs `fn` with a connection of its own.
   *
   * @param signal ends the waiting for a connection, and closes the connection while `fn` runs, which ends a blocking command
   * @throws RedisPoolTimeoutError, RedisPoolExhaustedError, RedisUnavailableError, RedisClosedError, the reason of `signal`, and
   *   whatever `fn` throws
   */
  async use<T>(fn: (client: Redis) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const client = await this.#acquire(signal);
    const abort = () => disconnect(client);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      signal?.throwIfAborted();
      return await fn(client);
    } catch (error) {
      const redisError = toRedisError(error);
      if (signal?.aborted && redisError) throw signal.reason;
      // A master that was demoted goes on refusing writes: the next taker must find the new one.
      if (redisError instanceof RedisReadOnlyError) this.expire();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#giveBack(client);
    }
  }

  /** Connections that are open now are not given out again: their server or their credentials may be yesterday's. */
  expire(): void {
    this.#current = new WeakSet();
  }

  /** Refuses takers, those that wait included, and waits for the connections in use to come back. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#rejectWaiting(this.#closedError());
    await this.#pool.destroy();
  }

  /** Closes all connections, those in use included: their takers' commands fail. */
  disconnect(): void {
    for (const client of this.#open) cutOff(client);
  }

  async #connect(client: Redis): Promise<Redis> {
    this.#open.add(client);
    client.once('end', () => this.#open.delete(client));
    try {
      await connect(client);
    } catch (error) {
      // With no connection in use, none comes back for those that wait: they learn of it now, not one by one.
      if (this.#pool.numUsed() === 0) this.#rejectWaiting(error);
      throw error;
    }
    this.#current.add(client);
    watchForChanges(client, () => this.#current.delete(client));
    return client;
  }

  #rejectWaiting(error: unknown): void {
    for (const acquire of this.#waiting) acquire.reject(error);
  }

  async #acquire(signal: AbortSignal | undefined): Promise<Redis> {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closedError();
    this.#checkQueue();
    const pending = this.#pool.acquire();
    const abort = () => pending.abort();
    this.#waiting.add(pending);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await pending.promise;
    } catch (error) {
      signal?.throwIfAborted();
      if (this.#closed) throw this.#closedError();
      if (!(error instanceof TimeoutError)) throw toConnectionError(error);
      throw this.#timeoutError(error);
    } finally {
      this.#waiting.delete(pending);
      signal?.removeEventListener('abort', abort);
    }
  }

  #checkQueue(): void {
    const { size, queueLimit } = this.#options.pool;
    const { used, waiting } = this.stats;
    const unused = size - used;
    if (waiting < unused + queueLimit) return;
    throw new RedisPoolExhaustedError(
      `All ${size} dedicated connections of '${this.#options.name}' are in use and ${queueLimit} takers wait (pool.queueLimit)`,
    );
  }

  #timeoutError(cause: TimeoutError): RedisPoolTimeoutError | RedisUnavailableError {
    const { size, acquireTimeout } = this.#options.pool;
    const none = `No dedicated connection of '${this.#options.name}'`;
    if (this.stats.used < size)
      return new RedisUnavailableError(`${none} could be opened within ${acquireTimeout} ms`, { cause });
    return new RedisPoolTimeoutError(
      `${none} came free within ${acquireTimeout} ms (pool.size ${size}, pool.acquireTimeout)`,
      { cause },
    );
  }

  #closedError(): RedisClosedError {
    return new RedisClosedError(
      `Redis connection '${this.#options.name}' is closing: no dedicated connection is given out`,
    );
  }

  #giveBack(client: Redis): void {
    this.#returning.add(client);
    void isClean(client).then((clean) => {
      if (!clean || !this.#current.has(client)) {
        // The driver goes on calling it ready until the socket is closed.
        this.#current.delete(client);
        disconnect(client);
      }
      this.#returning.delete(client);
      this.#pool.release(client);
    });
  }
}
