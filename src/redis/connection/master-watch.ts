import type { EventEmitter } from 'node:events';
import type { Cluster, Redis } from 'ioredis';
import { REFRESHING, slotOwners } from '../driver/announce-redirections.js';
import { refreshSlots } from '../driver/internals.js';
import { isCluster, type RedisClient } from '../driver/redis-client.js';
import { closeClient } from './close-client.js';
import { nodeName } from './node-address.js';

/** A node that a redirection named is listened to at least so long, in milliseconds, although it owns no slot (yet). */
const LINGER = 60_000;

/** How long a listener that is no longer needed may take to say goodbye, in milliseconds. */
const STOP_TIMEOUT = 100;

/** What a {@link MasterWatch} tells of. All are called synchronously, and must not throw. */
export interface MasterHandlers {
  /**
   * A listener to a master, not connected yet: a RESP2 connection of its own that comes back for ever. It subscribes to nothing by
   * itself, so that each `ready` is the time to do it, and its commands fail at once while it is away.
   *
   * @param node `host:port` on a Cluster, '' elsewhere
   */
  added(client: Redis, node: string): void;
  /** The listener is about to be closed: its node is no master any more, or the watch ends. */
  removed(node: string): void;
  /** On a Cluster: slots have another master than before. */
  slotsChanged(): void;
}

/** Listeners to every master, for as long as it is not stopped. */
export interface MasterWatch {
  /** On a Cluster: has the slots read anew, for who learns from a listener that one has moved. Elsewhere it does nothing. */
  refresh(): void;
  /** Closes the listeners. So does the connection when it is closed. */
  stop(): Promise<void>;
}

/** One listener where there is no Cluster, and one for each master of a Cluster. */
export class MasterListeners implements MasterWatch {
  readonly #shared: RedisClient;
  readonly #create: (node: string) => Redis;
  readonly #handlers: MasterHandlers;
  readonly #listeners = new Map<string, Redis>();
  /** When a redirection last named a node. */
  readonly #named = new Map<string, number>();
  readonly #undo: (() => void)[] = [];
  #owners: readonly (string | undefined)[] = [];

  /** @param create makes a client that is not connected yet */
  constructor(shared: RedisClient, create: (node: string) => Redis, handlers: MasterHandlers) {
    this.#shared = shared;
    this.#create = create;
    this.#handlers = handlers;
    if (isCluster(shared)) this.#followCluster(shared);
    else this.#followClient(shared);
  }

  refresh(): void {
    const shared = this.#shared;
    if (isCluster(shared) && shared.status === 'ready') void refreshSlots(shared);
  }

  async stop(deadline = performance.now() + STOP_TIMEOUT): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo();
    await Promise.all(Array.from(this.#listeners.keys(), (node) => this.#remove(node, deadline)));
  }

  /** What the shared client reads must come from the server that is listened to: after it has gone elsewhere, so does the listener. */
  #followClient(shared: Redis): void {
    let wasReady = shared.status === 'ready';
    const listener = this.#add('');
    this.#on(shared, 'ready', () => (wasReady = true));
    this.#on(shared, 'close', () => {
      const isConnected = listener.status === 'ready' || listener.status === 'connect';
      if (wasReady && isConnected) listener.disconnect(true);
      wasReady = false;
    });
  }

  #followCluster(cluster: Cluster): void {
    this.#on(cluster, 'refresh', () => this.#onRefresh(cluster));
    this.#on(cluster, REFRESHING, () => this.#compareSlots(cluster));
    this.#on(cluster, '+node', (node: Redis) => this.#onNode(cluster, node));
    if (cluster.status === 'wait') cluster.connect().catch(() => undefined); // told by the connection
    this.#onRefresh(cluster);
  }

  #onRefresh(cluster: Cluster): void {
    const masters = new Set(slotOwners(cluster));
    for (const node of masters) if (node !== undefined) this.#add(node);
    const now = performance.now();
    for (const node of this.#listeners.keys()) {
      const named = this.#named.get(node) ?? -Infinity;
      if (!masters.has(node) && now - named > LINGER) void this.#remove(node);
    }
    this.#compareSlots(cluster);
  }

  #compareSlots(cluster: Cluster): void {
    const before = this.#owners;
    this.#owners = slotOwners(cluster);
    const changed =
      before.length !== this.#owners.length || this.#owners.some((node, slot) => node !== before[slot]);
    if (changed) this.#handlers.slotsChanged();
  }

  /** `ASK` may lead to a master that owns no slot yet, and to which others write meanwhile. */
  #onNode(cluster: Cluster, { options }: Redis): void {
    // Before that, it may be an address of the options, of a replica too.
    if (cluster.status !== 'ready' || options.readOnly) return;
    const node = nodeName(options);
    if (!slotOwners(cluster).includes(node)) this.#named.set(node, performance.now());
    if (this.#listeners.has(node)) return;
    this.#add(node);
    this.#handlers.slotsChanged();
  }

  #add(node: string): Redis {
    const existing = this.#listeners.get(node);
    if (existing) return existing;
    const client = this.#create(node);
    this.#listeners.set(node, client);
    client.on('error', () => undefined); // the connection tells of its own, which has the same cause
    client.on('close', () => {
      if (this.#listeners.has(node)) this.refresh();
    });
    this.#handlers.added(client, node);
    client.connect().catch(() => undefined);
    return client;
  }

  async #remove(node: string, deadline = performance.now() + STOP_TIMEOUT): Promise<void> {
    const client = this.#listeners.get(node);
    if (!client) return;
    this.#listeners.delete(node);
    this.#named.delete(node);
    this.#handlers.removed(node);
    await closeClient(client, deadline);
  }

  #on(client: EventEmitter, event: string, handler: (node: Redis) => void): void {
    client.on(event, handler);
    this.#undo.push(() => client.off(event, handler));
  }
}
