import { type RedisConnection, RedisTimeoutError, RedisUnavailableError } from '../../redis/index.js';
import { TimeLimit } from '../../timing/time-limit.js';
import { Dispatcher } from '../delivery/dispatcher.js';
import type { Reading } from '../delivery/message.js';
import type { Receiver } from '../delivery/receiver.js';
import { nameOf } from '../subscriptions/subject.js';
import type { Channel, Channels } from './channels.js';
import { keyOf } from './node-listener.js';
import { ChannelSubscriptions } from './channel-subscriptions.js';

/** How long a server may take to confirm a subscription until it counts as away, in milliseconds. */
const SUBSCRIBE_TIMEOUT = 5_000;

interface Member {
  readonly channels: readonly Channel[];
  /** Whether it has been told that it is subscribed: only then it may be told of gaps. */
  isSubscribed: boolean;
  /** Since when it may have missed events that it was not told of, in milliseconds since 1970. */
  missedSince: number | undefined;
}

/** What a feed is made of. */
export interface FeedParts extends Reading {
  readonly connection: RedisConnection;
  readonly channels: Channels;
}

/** Receivers that share connections; or one that reading waits for. */
export class Feed {
  readonly #parts: FeedParts;
  readonly #dispatcher: Dispatcher;
  readonly #subscriptions: ChannelSubscriptions;
  readonly #members = new Map<Receiver, Member>();
  readonly #limit = new TimeLimit(SUBSCRIBE_TIMEOUT);
  #isWaiting = false;

  /** @param only whom reading waits for while it is full; nobody else may be added then */
  constructor(parts: FeedParts, only?: Receiver) {
    const { channels } = parts;
    this.#parts = parts;
    const liveness = only ? 'keep-alive' : 'ping';
    this.#dispatcher = new Dispatcher(parts, (pattern) => channels.originOf(pattern));
    this.#subscriptions = new ChannelSubscriptions(parts.connection, liveness, {
      message: (command, name, channel, raw) => {
        this.#dispatcher.dispatch(raw, channels.origin(command, name, channel));
        if (only?.isFull) this.#waitFor(only);
      },
      recovered: (recovered) => this.#onRecovered(recovered),
    });
  }

  /**
   * Resolves when the server has confirmed it. From then on it comes back by itself after any loss.
   *
   * @throws RedisError where the server refuses it, or is away
   */
  async add(receiver: Receiver): Promise<void> {
    const channels = this.#parts.channels.for(receiver.subject);
    const member: Member = { channels, isSubscribed: false, missedSince: undefined };
    this.#members.set(receiver, member);
    this.#dispatcher.add(receiver);
    try {
      await this.#limit.apply(this.#subscriptions.want(channels));
    } catch (error) {
      this.remove(receiver);
      throw error instanceof RedisTimeoutError ? this.#unavailable(receiver, error) : error;
    }
    member.isSubscribed = true;
  }

  remove(receiver: Receiver): void {
    const member = this.#members.get(receiver);
    if (!member) return;
    this.#members.delete(receiver);
    this.#dispatcher.delete(receiver);
    this.#subscriptions.release(member.channels);
  }

  /** Closes its connections. Never rejects. */
  stop(): Promise<void> {
    return this.#subscriptions.stop();
  }

  #waitFor(receiver: Receiver): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#subscriptions.pause();
    void receiver.room().then(() => {
      this.#isWaiting = false;
      this.#subscriptions.resume();
    });
  }

  #onRecovered(recovered: ReadonlyMap<string, number>): void {
    for (const [receiver, member] of this.#members) {
      for (const channel of member.channels) {
        const since = recovered.get(keyOf(channel));
        if (since !== undefined) member.missedSince = Math.min(member.missedSince ?? since, since);
      }
      this.#tellGap(receiver, member);
    }
  }

  /** Not before all of its channels are back: it is told once of what took several connections with it. */
  #tellGap(receiver: Receiver, member: Member): void {
    const { missedSince, channels } = member;
    if (missedSince === undefined || !this.#subscriptions.areConfirmed(channels)) return;
    member.missedSince = undefined;
    if (!member.isSubscribed) return;
    receiver.gap({ topic: nameOf(receiver.subject), reason: 'reconnected', since: new Date(missedSince) });
  }

  #unavailable({ subject }: Receiver, cause: RedisTimeoutError): RedisUnavailableError {
    const reason = this.#parts.connection.error?.message ?? 'no answer';
    const message = `Could not subscribe to '${nameOf(subject)}' within ${SUBSCRIBE_TIMEOUT} ms: ${reason}`;
    return new RedisUnavailableError(message, { cause });
  }
}
