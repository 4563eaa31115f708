import { type RedisConnection, toRedisError } from '../../redis/index.js';
import { TimeLimit } from '../../timing/time-limit.js';
import type { BusParts } from '../bus-parts.js';
import type { BroadcastDeadLetters } from '../dead-letters/broadcast-dead-letters.js';
import type { Receiver } from '../delivery/receiver.js';
import type { Envelope } from '../events/envelope.js';
import { type Channels, ShardChannels, TopicChannels } from './channels.js';
import { Feed, type FeedParts } from './feed.js';

/**
 * Events over pub/sub: each reaches every replica that is subscribed when it is published. One connection reads for all receivers, on a
 * Cluster one to each master; a receiver with the overflow 'wait' has its own, since reading stops while it is full.
 */
export class BroadcastDelivery {
  readonly #parts: BusParts;
  readonly #dead: BroadcastDeadLetters;
  readonly #limit: TimeLimit;
  readonly #own = new Map<Receiver, Feed>();
  #shared: Feed | undefined;
  #channels: Channels | undefined;
  #probe: Promise<Channels> | undefined;

  constructor(parts: BusParts, dead: BroadcastDeadLetters) {
    this.#parts = parts;
    this.#dead = dead;
    this.#limit = new TimeLimit(parts.options.publishTimeout);
    if (parts.connection.topology !== 'cluster') this.#channels = new TopicChannels(parts.options.namespace);
  }

  /** Asks a Cluster what it can. Where it is away, it is asked again by what needs to know first. Never rejects. */
  async start(): Promise<void> {
    await this.#whichChannels().catch(() => undefined);
  }

  /**
   * Resolves when Redis has it; whether anybody is subscribed is not looked at.
   *
   * @throws (as a rejection) what the driver says
   */
  publish(envelope: Envelope, raw: string): Promise<unknown> {
    const channels = this.#channels;
    if (!channels) return this.#limit.apply(this.#whichChannels()).then(() => this.publish(envelope, raw));
    const { client } = this.#parts.connection;
    return this.#limit.apply(client[channels.publish](channels.of(envelope.topic), raw));
  }

  /**
   * Resolves when the server has confirmed the subscription. From then on it comes back by itself after any loss, and the receiver is told of
   * the gap.
   *
   * @throws RedisError where the server refuses it, or is away
   */
  async add(receiver: Receiver): Promise<void> {
    const channels = this.#channels ?? (await this.#whichChannels());
    if (receiver.options.overflow === 'wait') return this.#addWaiting(receiver, channels);
    this.#shared ??= new Feed(this.#feedParts(channels));
    return this.#shared.add(receiver);
  }

  /** Never rejects. */
  async remove(receiver: Receiver): Promise<void> {
    this.#shared?.remove(receiver);
    const own = this.#own.get(receiver);
    this.#own.delete(receiver);
    await own?.stop();
  }

  /** Closes the connections. Never rejects. */
  async stop(): Promise<void> {
    const feeds = [...this.#own.values(), ...(this.#shared ? [this.#shared] : [])];
    this.#own.clear();
    await Promise.all(feeds.map((feed) => feed.stop()));
  }

  async #addWaiting(receiver: Receiver, channels: Channels): Promise<void> {
    const feed = new Feed(this.#feedParts(channels), receiver);
    this.#own.set(receiver, feed);
    try {
      await feed.add(receiver);
    } catch (error) {
      await this.remove(receiver);
      throw error;
    }
  }

  #feedParts(channels: Channels): FeedParts {
    return { connection: this.#parts.connection, channels, parts: this.#parts, dead: this.#dead };
  }

  /** Asked once at a time, and again after a failure. @throws RedisError */
  #whichChannels(): Promise<Channels> {
    if (this.#channels) return Promise.resolve(this.#channels);
    this.#probe ??= this.#ask().finally(() => (this.#probe = undefined));
    return this.#probe;
  }

  async #ask(): Promise<Channels> {
    const { connection, options } = this.#parts;
    const shards = new ShardChannels(options.namespace);
    const isSharded = await knowsShardChannels(connection, shards.of(''));
    return (this.#channels ??= isSharded ? shards : new TopicChannels(options.namespace));
  }
}

/** Since Redis 7.0. A command with too many arguments does nothing, but tells whether there is one of that name; no ACL is asked before. */
async function knowsShardChannels({ client }: RedisConnection, channel: string): Promise<boolean> {
  try {
    await client.call('SPUBLISH', channel, '', '');
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    if (/wrong number of arguments/i.test(message)) return true;
    if (/unknown command/i.test(message)) return false;
    throw toRedisError(error) ?? error;
  }
}
