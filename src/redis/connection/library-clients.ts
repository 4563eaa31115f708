import type { RedisClient } from '../driver/redis-client.js';
import { RedisClosedError } from '../errors/errors.js';
import { closeClient, endClient } from './close-client.js';
import { LibraryWait } from './library-wait.js';
import type { MonitoredClient } from './open-client.js';

type Duplicate = (...parameters: unknown[]) => RedisClient;

/** How often, within the time for which libraries may wait for Redis, is looked whether they do. */
const CHECKS = 4;

/** The shortest such time, in milliseconds: Redis that is well may take as long to answer. */
const SHORTEST_WAIT = 100;

/** The clients that a connection has made for libraries, one for each, and the copies that these have made of them. */
export class LibraryClients {
  readonly #open: (library: string) => MonitoredClient;
  readonly #clients = new Map<string, MonitoredClient>();
  /** Of all that have not ended, copies too. */
  readonly #waits = new Map<RedisClient, LibraryWait>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

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
    return opened.client;
  }

  /**
   * The application shuts down: libraries close, and some wait for Redis to do so, however long it is away. A client by way of which one
   * has waited for `timeout` ends, and does not connect again. While Redis answers, they may take as long as they like.
   *
   * @param timeout milliseconds
   */
  drain(timeout: number): void {
    if (this.#timer || this.#isClosed) return;
    const begun = performance.now();
    const longest = Math.max(timeout, SHORTEST_WAIT);
    const check = () => {
      const now = performance.now();
      for (const [client, { since = now }] of this.#waits) {
        if (now - Math.max(since, begun) < longest) continue;
        this.#waits.delete(client);
        void endForGood(client);
      }
    };
    check();
    this.#timer = setInterval(check, longest / CHECKS);
  }

  async close(deadline: number): Promise<('closed' | 'cut off')[]> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const { monitor } of this.opened) monitor.closing();
    const originals = this.opened.map(({ client }) => client);
    originals.forEach(refuseConnections);
    const copies = [...this.#waits.keys()].filter((client) => !originals.includes(client));
    // A copy that its library has not closed may block: `QUIT` would wait for that.
    await Promise.all(copies.map((copy) => endForGood(copy)));
    return Promise.all(originals.map((client) => closeClient(client, deadline)));
  }

  #follow(client: RedisClient): void {
    const original = client as { duplicate: Duplicate };
    const duplicate = original.duplicate.bind(client);
    original.duplicate = (...parameters) => {
      const copy = duplicate(...parameters);
      this.#follow(copy);
      return copy;
    };
    const wait = new LibraryWait(client);
    client.on('connecting', () => this.#waits.set(client, wait));
    client.on('end', () => this.#waits.delete(client));
    if (client.status !== 'end') this.#waits.set(client, wait);
    connect(client);
  }
}

/**
 * Libraries (BullMQ is one) connect a client that waits to be used, and take the failure of the first attempt for the last word. One that
 * is connecting they wait for.
 */
function connect(client: RedisClient): void {
  client.connect().catch(() => undefined); // tried again, and told of by an event
}

async function endForGood(client: RedisClient): Promise<void> {
  refuseConnections(client);
  await endClient(client);
}

/** Libraries connect clients that have ended, and copies of them, when nobody has told the library to close. */
function refuseConnections(client: RedisClient): void {
  client.connect = () => Promise.reject(closedError());
  (client as { duplicate: Duplicate }).duplicate = () => {
    throw closedError();
  };
}

function closedError(): RedisClosedError {
  return new RedisClosedError('The connection is closed: its clients do not connect again');
}
