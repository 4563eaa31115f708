import type { BusParts } from '../bus-parts.js';
import type { BroadcastDeadLetters } from '../dead-letters/broadcast-dead-letters.js';
import { describeError } from '../describe-error.js';
import { type Envelope, UnreadableEvent } from '../events/envelope.js';
import type { EventType } from '../events/event-type.js';
import type { Received } from './receiver.js';

/** What messages are read with. */
export interface Reading {
  readonly parts: Pick<BusParts, 'codec' | 'process'>;
  readonly dead: Pick<BroadcastDeadLetters, 'record'>;
}

/** What an unreadable message without a known topic is recorded under. */
const UNKNOWN_TOPIC = 'unreadable';

/** A message, parsed once, and read once for each type of its receivers. Where it cannot be, it becomes a dead letter, once. */
export class Message {
  readonly raw: string;
  /** Undefined where it could not be parsed. */
  readonly envelope: Envelope | undefined;
  readonly isOwn: boolean;
  readonly #reading: Reading;
  readonly #topic: string | undefined;
  readonly #read = new Map<EventType, Received | undefined>();
  #lastType: EventType | undefined;
  #lastRead: Received | undefined;
  #plain: Received | undefined;
  #isDead = false;

  /** @param topic that it should have, where the way by which it came tells */
  constructor(raw: string, topic: string | undefined, reading: Reading) {
    this.raw = raw;
    this.#topic = topic;
    this.#reading = reading;
    this.envelope = this.#parse();
    this.isOwn = this.envelope?.from === reading.parts.process;
  }

  /** For the receivers of a type; undefined where they cannot be given it. */
  as(type: EventType): Received | undefined {
    // Most receivers of a topic have the same.
    if (type === this.#lastType) return this.#lastRead;
    this.#lastType = type;
    return (this.#lastRead = this.#readOnce(type));
  }

  #readOnce(type: EventType): Received | undefined {
    if (this.#read.has(type)) return this.#read.get(type);
    const received = this.#attempt((envelope) =>
      this.#received(this.#reading.parts.codec.read(type, envelope)),
    );
    this.#read.set(type, received);
    return received;
  }

  /** With plain data, for the receivers of patterns. */
  plain(): Received | undefined {
    return (this.#plain ??= this.envelope && this.#received(this.envelope.data));
  }

  #received(event: unknown): Received {
    return { event, envelope: this.envelope!, isOwn: this.isOwn, isLocal: false };
  }

  #parse(): Envelope | undefined {
    try {
      const envelope = this.#reading.parts.codec.parse(this.raw);
      if (this.#topic === undefined || envelope.topic === this.#topic) return envelope;
      throw new UnreadableEvent('undecodable', `It says to be of topic '${envelope.topic}'`);
    } catch (error) {
      this.#bury(error);
      return undefined;
    }
  }

  #attempt(read: (envelope: Envelope) => Received): Received | undefined {
    if (!this.envelope) return undefined;
    try {
      return read(this.envelope);
    } catch (error) {
      this.#bury(error);
      return undefined;
    }
  }

  #bury(error: unknown): void {
    if (this.#isDead) return;
    this.#isDead = true;
    const unreadable =
      error instanceof UnreadableEvent ? error : new UnreadableEvent('undecodable', describeError(error));
    this.#reading.dead.record(this.envelope?.topic ?? this.#topic ?? UNKNOWN_TOPIC, this.raw, unreadable);
  }
}
