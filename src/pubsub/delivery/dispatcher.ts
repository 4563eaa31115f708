import { Message, type Reading } from './message.js';
import type { Receiver } from './receiver.js';
import { type PatternReceiver, ReceiverIndex } from './receiver-index.js';

/** By which way a message came. */
export interface Origin {
  /** What it was subscribed to. What is published once comes once by each origin. */
  readonly name: string;
  /** Topic of the message, where the origin tells. */
  readonly topic: string | undefined;
  /** Whom it is for: the receivers of the topic, those of the patterns that the origin stands for, or all. */
  readonly reach: 'topic' | 'patterns' | 'all';
}

/** Gives messages to receivers. One that comes by several origins in a row is parsed once. */
export class Dispatcher {
  readonly #reading: Reading;
  readonly #originOf: (pattern: string) => string;
  readonly #index = new ReceiverIndex();
  #last: { readonly message: Message; readonly origins: string[] } | undefined;

  /** @param originOf name of the origin by which a pattern's messages come */
  constructor(reading: Reading, originOf: (pattern: string) => string = () => '') {
    this.#reading = reading;
    this.#originOf = originOf;
  }

  get isEmpty(): boolean {
    return this.#index.isEmpty;
  }

  add(receiver: Receiver): void {
    this.#index.add(receiver);
  }

  delete(receiver: Receiver): void {
    this.#index.delete(receiver);
  }

  dispatch(raw: string, origin: Origin): void {
    const message = this.#message(raw, origin);
    const { envelope } = message;
    if (!envelope) return;
    if (origin.reach !== 'patterns') this.#toTopic(message, envelope.topic);
    if (origin.reach === 'topic' || this.#index.patterns.length === 0) return;
    this.#toPatterns(message, envelope.topic, origin);
  }

  /** What was the last message is parsed already, unless it has come by this origin: then it was published twice. */
  #message(raw: string, { name, topic }: Origin): Message {
    if (this.#last?.message.raw === raw && !this.#last.origins.includes(name)) {
      this.#last.origins.push(name);
      return this.#last.message;
    }
    const message = new Message(raw, topic, this.#reading);
    this.#last = { message, origins: [name] };
    return message;
  }

  #toTopic(message: Message, topic: string): void {
    for (const receiver of this.#index.ofTopic(topic)) {
      if (message.isOwn && receiver.options.skipOwn) continue;
      const received = message.as(receiver.subject);
      if (received) receiver.receive(received);
    }
  }

  #toPatterns(message: Message, topic: string, { name, reach }: Origin): void {
    for (const each of this.#index.patterns) {
      if (message.isOwn && each.receiver.options.skipOwn) continue;
      if (reach === 'patterns' && this.#originOf(each.pattern) !== name) continue;
      if (each.matches(topic)) this.#give(message, each);
    }
  }

  #give(message: Message, { receiver }: PatternReceiver): void {
    const received = message.plain();
    if (received) receiver.receive(received);
  }
}
