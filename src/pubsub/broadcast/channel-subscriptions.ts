import type { Redis } from 'ioredis';
import {
  RedisClosedError,
  type MasterWatch,
  type RedisConnection,
  type RedisError,
} from '../../redis/index.js';
import { logger } from '../pubsub-logger.js';
import type { Channel, SubscribeCommand } from './channels.js';
import { keyOf, NodeListener } from './node-listener.js';
import { WantedChannel } from './wanted-channel.js';

/** What {@link ChannelSubscriptions} tell of. None may throw. */
export interface SubscriptionHandlers {
  message(command: SubscribeCommand, name: string, channel: string, raw: string): void;
  /** Channels are subscribed to again. For each, since when it was not, in milliseconds since 1970. */
  recovered(channels: ReadonlyMap<string, number>): void;
}

/** Channels that are subscribed to, and stay so whatever happens to connections, servers and slots. Opens its own connections. */
export class ChannelSubscriptions {
  readonly #connection: RedisConnection;
  readonly #liveness: 'ping' | 'keep-alive';
  readonly #handlers: SubscriptionHandlers;
  readonly #wanted = new Map<string, WantedChannel>();
  readonly #nodes = new Map<string, NodeListener>();
  #watch: MasterWatch | undefined;
  #isRefused = false;
  #isStopped = false;
  #isPaused = false;

  constructor(connection: RedisConnection, liveness: 'ping' | 'keep-alive', handlers: SubscriptionHandlers) {
    this.#connection = connection;
    this.#liveness = liveness;
    this.#handlers = handlers;
  }

  /**
   * Resolves when the server has confirmed all of them. Each call has to be made up for by one of {@link release}.
   *
   * @throws RedisError where the server refuses one; RedisClosedError when it is stopped
   */
  async want(channels: readonly Channel[]): Promise<void> {
    if (this.#isStopped) throw closedError();
    this.#watch ??= this.#open();
    const confirmed = channels.map((channel) => {
      const wanted = this.#wantedFor(channel);
      wanted.takers++;
      return wanted.confirmed();
    });
    this.#sync();
    await Promise.all(confirmed);
  }

  release(channels: readonly Channel[]): void {
    for (const channel of channels) {
      const wanted = this.#wanted.get(keyOf(channel));
      if (!wanted) continue;
      wanted.takers--;
      this.#forgetUnwanted(wanted);
    }
    this.#sync();
  }

  /** Whether none of these is waited for. */
  areConfirmed(channels: readonly Channel[]): boolean {
    return channels.every((channel) => this.#wanted.get(keyOf(channel))?.node !== undefined);
  }

  /** Reads nothing more until {@link resume}. */
  pause(): void {
    this.#isPaused = true;
    for (const node of this.#nodes.values()) node.pause();
  }

  resume(): void {
    this.#isPaused = false;
    for (const node of this.#nodes.values()) node.resume();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const node of this.#nodes.values()) node.stop();
    for (const wanted of this.#wanted.values()) wanted.refuse(closedError());
    await this.#watch?.stop();
  }

  #open(): MasterWatch {
    // Handlers are called before `watchMasters` returns, too.
    return this.#connection.watchMasters({
      added: (client, node) => this.#onAdded(client, node),
      removed: (node) => this.#onRemoved(node),
      slotsChanged: () => this.#sync(),
    });
  }

  #onAdded(client: Redis, name: string): void {
    const node: NodeListener = new NodeListener(client, this.#liveness, {
      wanted: () => this.#wantedOf(name),
      subscribed: (channels) => this.#onSubscribed(node, channels),
      lost: (channels, since) => this.#onLost(node, channels, since),
      refused: (channel, error) => this.#onRefused(channel, error),
      moved: () => this.#watch?.refresh(),
      message: (...message) => this.#handlers.message(...message),
    });
    this.#nodes.set(name, node);
    if (this.#isPaused) node.pause();
  }

  #onRemoved(name: string): void {
    const node = this.#nodes.get(name);
    this.#nodes.delete(name);
    node?.stop();
    if (!this.#isStopped) this.#sync();
  }

  /** Shard channels belong to the master of their slot. For the others, every node of a Cluster will do. */
  #wantedOf(name: string): Channel[] {
    const [first] = this.#nodes.keys();
    const isServed = ({ slot }: Channel): boolean =>
      slot === undefined ? name === first : this.#connection.masterOf(slot) === name;
    return Array.from(this.#wanted.values())
      .filter(({ takers, channel }) => takers > 0 && isServed(channel))
      .map(({ channel }) => channel);
  }

  #sync(): void {
    for (const node of this.#nodes.values()) node.sync();
  }

  #onSubscribed(node: NodeListener, channels: readonly Channel[]): void {
    const recovered = new Map<string, number>();
    for (const channel of channels) {
      const since = this.#wanted.get(keyOf(channel))?.confirm(node);
      if (since !== undefined) recovered.set(keyOf(channel), since);
    }
    this.#isRefused = false;
    if (recovered.size > 0) this.#handlers.recovered(recovered);
  }

  #onLost(node: NodeListener, channels: readonly Channel[], since: number): void {
    for (const channel of channels) {
      const wanted = this.#wanted.get(keyOf(channel));
      if (!wanted) continue;
      wanted.lose(node, since);
      this.#forgetUnwanted(wanted);
    }
  }

  /** Not while it is still subscribed to: who wants it again meanwhile has to know that it is. */
  #forgetUnwanted({ takers, node, channel }: WantedChannel): void {
    if (takers === 0 && !node) this.#wanted.delete(keyOf(channel));
  }

  #onRefused(channel: Channel, error: RedisError): void {
    const wanted = this.#wanted.get(keyOf(channel));
    if (!wanted || this.#isStopped) return;
    wanted.refuse(error);
    if (wanted.lostSince !== undefined && !this.#isRefused) {
      this.#isRefused = true;
      logger.warn(`Could not subscribe to ${channel.name} again, trying on: ${error.message}`);
    }
  }

  #wantedFor(channel: Channel): WantedChannel {
    const key = keyOf(channel);
    const existing = this.#wanted.get(key);
    if (existing) return existing;
    const wanted = new WantedChannel(channel);
    this.#wanted.set(key, wanted);
    return wanted;
  }
}

function closedError(): RedisClosedError {
  return new RedisClosedError('The subscriptions are closed');
}
