import { isCluster, type RedisClient } from '../driver/redis-client.js';
import { closeClient, endClient } from './close-client.js';
import type { MonitoredClient } from './open-client.js';

type Duplicate = (...parameters: unknown[]) => RedisClient;
type RetryStrategy = (times: number, reason?: Error) => number | null | void;

/** The clients that a connection has made for libraries, one for each, and the copies that these have made of them. */
export class LibraryClients {
  readonly #open: (library: string) => MonitoredClient;
  readonly #clients = new Map<string, MonitoredClient>();
  /** Those that have not ended. */
  readonly #copies = new Set<RedisClient>();
  #deadline = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(open: (library: string) => MonitoredClient) {
    this.#open = open;
  }

  /** Without copies. */
  get opened(): readonly MonitoredClient[] {
    return [...this.#clients.values()];
  }

  get(library: string): RedisClient {
    const existing = this.#clients.get(library);
    if (existing) return existing.client;
    const opened = this.#open(library);
    this.#clients.set(library, opened);
    this.#follow(opened.client);
    connect(opened.client);
    return opened.client;
  }

  /**
   * The application shuts down: libraries close, and some wait for Redis to do so, however long it is away. When `timeout` is over, none
   * of their clients connects again, and those that are away end.
   *
   * @param timeout milliseconds
   */
  drain(timeout: number): void {
    if (this.#timer || this.#clients.size === 0) return;
    this.#deadline = performance.now() + timeout;
    this.#timer = setTimeout(() => this.#endThoseAway(), timeout);
  }

  async close(deadline: number): Promise<('closed' | 'cut off')[]> {
    clearTimeout(this.#timer);
    this.#deadline = 0;
    for (const { monitor } of this.opened) monitor.closing();
    // A copy that its library has not closed may block: `QUIT` would wait for that.
    await Promise.all(Array.from(this.#copies, (copy) => endClient(copy)));
    return Promise.all(this.opened.map(({ client }) => closeClient(client, deadline)));
  }

  #endThoseAway(): void {
    const clients = [...this.#copies, ...this.opened.map(({ client }) => client)];
    for (const client of clients) if (client.status !== 'ready') void endClient(client);
  }

  #follow(client: RedisClient): void {
    this.#limitRetries(client);
    const original = client as { duplicate: Duplicate };
    const duplicate = original.duplicate.bind(client);
    original.duplicate = (...parameters) => {
      const copy = duplicate(...parameters);
      this.#follow(copy);
      if (copy.status !== 'end') this.#copies.add(copy);
      copy.on('connecting', () => this.#copies.add(copy));
      copy.on('end', () => this.#copies.delete(copy));
      connect(copy);
      return copy;
    };
  }

  #limitRetries(client: RedisClient): void {
    const limit = (strategy: RetryStrategy | null | undefined): RetryStrategy => {
      return (...parameters) => (performance.now() < this.#deadline ? strategy?.(...parameters) : null);
    };
    if (isCluster(client)) client.options.clusterRetryStrategy = limit(client.options.clusterRetryStrategy);
    else client.options.retryStrategy = limit(client.options.retryStrategy);
  }
}

/**
 * Libraries (BullMQ is one) connect a client that waits to be used, and take the failure of the first attempt for the last word. One that
 * is connecting they wait for.
 */
function connect(client: RedisClient): void {
  client.connect().catch(() => undefined); // tried again, and told of by an event
}
