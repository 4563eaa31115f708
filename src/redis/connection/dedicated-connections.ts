import type { Cluster, Redis } from 'ioredis';
import { settlesBefore } from '../../timing/settles-before.js';
import { createDedicated } from '../driver/create-client.js';
import { installCredentials } from '../driver/install-credentials.js';
import type { CredentialsSource } from '../driver/credentials-source.js';
import { connect, cutOff, disconnect } from './dedicated-client.js';
import { clusterInternals, refreshSlots } from '../driver/internals.js';
import { toConnectionError, toRedisError } from '../errors/classify.js';
import { RedisClosedError, RedisClusterError, RedisUnavailableError } from '../errors/errors.js';
import { hashSlot } from '../keys/hash-slot.js';
import type { ResolvedRedisOptions } from '../options/resolved-options.js';
import { DedicatedPool, type PoolStats } from './dedicated-pool.js';
import { splitNode } from './node-address.js';

/** How long takers have to learn that their connections were cut off, in milliseconds. */
const CUT_OFF_TIMEOUT = 100;

const SINGLE_SERVER = '';

/** What a taker of a dedicated connection may say. */
export interface DedicatedOptions {
  /** On a Cluster, the key that chooses the node. Needed there, and of no account elsewhere. */
  key?: string | Buffer;
  /**
   * Ends the waiting for a connection, and closes the connection while it is held, which ends a blocking command. What fails then
   * fails with the signal's reason.
   */
  signal?: AbortSignal;
  /**
   * For work that goes on: the connection is opened for this call, closed after it, and takes no place in the pool. At shutdown it is cut
   * off when `shutdownTimeout` is over: end the work before that. @default false
   */
  lasting?: boolean;
}

/** The dedicated connections of a connection: one pool, or on a Cluster one for each master, opened when first asked for. */
export class DedicatedConnections {
  readonly #options: ResolvedRedisOptions;
  readonly #credentials: CredentialsSource | undefined;
  readonly #cluster: () => Promise<Cluster>;
  readonly #pools = new Map<string, DedicatedPool>();
  readonly #lasting = new Set<Redis>();
  #closed = false;

  /** @param cluster gives the Cluster when its slots are known */
  constructor(
    options: ResolvedRedisOptions,
    credentials: CredentialsSource | undefined,
    cluster: () => Promise<Cluster>,
  ) {
    this.#options = options;
    this.#credentials = credentials;
    this.#cluster = cluster;
  }

  /** Sums over all pools. */
  get stats(): PoolStats {
    const sum: PoolStats = { used: 0, free: 0, waiting: 0 };
    for (const { stats } of this.#pools.values()) {
      sum.used += stats.used;
      sum.free += stats.free;
      sum.waiting += stats.waiting;
    }
    return sum;
  }

  async use<T>(options: DedicatedOptions, fn: (client: Redis) => Promise<T>): Promise<T> {
    if (this.#options.target.kind !== 'cluster') return this.#useAt(SINGLE_SERVER, options, fn);
    const { key, signal } = options;
    if (key === undefined)
      throw new TypeError('On a Cluster, withDedicated needs { key }: it chooses the node to connect to');
    const cluster = await abortable(this.#cluster(), signal);
    try {
      return await this.#useAt(nodeOf(cluster, key), options, fn);
    } catch (error) {
      // A single node's client does not follow redirections: the next call must find the slot where it is now.
      if (toRedisError(error) instanceof RedisClusterError) await refreshSlots(cluster);
      throw error;
    }
  }

  expire(): void {
    for (const pool of this.#pools.values()) pool.expire();
    for (const client of this.#lasting) disconnect(client);
  }

  /** Gives out no more connections and waits for those in use to come back; past the deadline they are closed. */
  async closeWithin(deadline: number): Promise<void> {
    this.#closed = true;
    const pools = [...this.#pools.values()];
    const closed = Promise.all(pools.map((pool) => pool.close()));
    await settlesBefore(closed, deadline);
    for (const pool of pools) pool.disconnect();
    for (const client of this.#lasting) cutOff(client);
    // A taker that waits for something else than Redis is not waited for.
    await settlesBefore(closed, performance.now() + CUT_OFF_TIMEOUT);
  }

  #useAt<T>(
    node: string,
    { signal, lasting }: DedicatedOptions,
    fn: (client: Redis) => Promise<T>,
  ): Promise<T> {
    return lasting ? this.#useLasting(node, signal, fn) : this.#pool(node).use(fn, signal);
  }

  async #useLasting<T>(
    node: string,
    signal: AbortSignal | undefined,
    fn: (client: Redis) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closedError();
    const client = this.#create(node);
    const abort = (): void => disconnect(client);
    this.#lasting.add(client);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await connect(client).catch((error: unknown) => {
        throw toConnectionError(error);
      });
      return await fn(client);
    } catch (error) {
      if (signal?.aborted && toRedisError(error)) throw signal.reason;
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#lasting.delete(client);
      disconnect(client);
    }
  }

  #create(node: string): Redis {
    const client = createDedicated(this.#options, node === SINGLE_SERVER ? undefined : splitNode(node));
    return this.#credentials ? installCredentials(client, this.#credentials) : client;
  }

  #pool(node: string): DedicatedPool {
    const existing = this.#pools.get(node);
    if (existing) return existing;
    if (this.#closed) throw this.#closedError();
    const pool = new DedicatedPool(this.#options, () => this.#create(node));
    this.#pools.set(node, pool);
    return pool;
  }

  #closedError(): RedisClosedError {
    return new RedisClosedError(`Redis connection '${this.#options.name}' is closed`);
  }
}

function nodeOf(cluster: Cluster, key: string | Buffer): string {
  const node = clusterInternals(cluster).slots[hashSlot(key)]?.[0];
  if (node === undefined)
    throw new RedisUnavailableError('No node of the Cluster serves the slot of the key');
  return node;
}

/** @throws the reason of `signal`, without waiting for `promise` any longer */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => (abort = () => reject(signal.reason as Error)));
  signal.addEventListener('abort', abort, { once: true });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort));
}
