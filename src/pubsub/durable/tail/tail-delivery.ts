import type { BusParts } from '../../bus-parts.js';
import type { BroadcastDeadLetters } from '../../dead-letters/broadcast-dead-letters.js';
import type { Receiver } from '../../delivery/receiver.js';
import type { EventType } from '../../events/event-type.js';
import { TopicTail } from './topic-tail.js';

/**
 * Durable events for every replica: each reads what is added to the streams of a topic. After a loss it goes on where it was. One connection
 * reads a topic for all receivers; one with the overflow 'wait' has its own, since reading stops while it is full.
 */
export class TailDelivery {
  readonly #parts: BusParts;
  readonly #dead: BroadcastDeadLetters;
  /** By topic. */
  readonly #shared = new Map<string, TopicTail>();
  readonly #tails = new Map<Receiver, TopicTail>();

  constructor(parts: BusParts, dead: BroadcastDeadLetters) {
    this.#parts = parts;
    this.#dead = dead;
  }

  /**
   * Resolves when it is known where the streams end: what is added from then on is received.
   *
   * @throws RedisError where Redis is away
   */
  async add(type: EventType, receiver: Receiver): Promise<void> {
    const tail = this.#tailFor(type, receiver);
    this.#tails.set(receiver, tail);
    tail.add(receiver);
    try {
      await tail.start();
    } catch (error) {
      await this.remove(receiver);
      throw error;
    }
  }

  /** Never rejects. */
  async remove(receiver: Receiver): Promise<void> {
    const tail = this.#tails.get(receiver);
    if (!tail) return;
    this.#tails.delete(receiver);
    tail.remove(receiver);
    if (!tail.isEmpty) return;
    if (this.#shared.get(tail.topic) === tail) this.#shared.delete(tail.topic);
    await tail.stop();
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    const tails = new Set(this.#tails.values());
    this.#tails.clear();
    this.#shared.clear();
    await Promise.all(Array.from(tails, (tail) => tail.stop()));
  }

  #tailFor(type: EventType, receiver: Receiver): TopicTail {
    const parts = { parts: this.#parts, dead: this.#dead };
    if (receiver.options.overflow === 'wait') return new TopicTail(type, parts, receiver);
    const existing = this.#shared.get(type.topic);
    if (existing) return existing;
    const tail = new TopicTail(type, parts);
    this.#shared.set(type.topic, tail);
    return tail;
  }
}
