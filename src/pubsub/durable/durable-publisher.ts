import { hashSlot } from '../../redis/index.js';
import { TimeLimit } from '../../timing/time-limit.js';
import type { BusParts } from '../bus-parts.js';
import type { Envelope } from '../events/envelope.js';
import type { EventType } from '../events/event-type.js';
import { registerScript } from './group/scripts.js';
import { TopicKeys } from './topic-keys.js';

/** Events without a key that go to a partition before the next has its turn. */
const RUN = 64;

/** Milliseconds after which it is noted again how many partitions there are: Redis may have lost its data. */
const NOTE_AGAIN = 60_000;

/** The same, where it could not be noted. */
const AWAY = 1_000;

interface Topic {
  readonly type: EventType;
  readonly keys: TopicKeys;
  readonly streams: readonly string[];
  /** When the number of partitions is to be noted, by `performance.now()`. */
  noteAt: number;
  /** Where the next event without a key goes. */
  next: number;
}

/** Writes durable events to their streams (`XADD`). */
export class DurablePublisher {
  readonly #parts: BusParts;
  readonly #limit: TimeLimit;
  readonly #topics = new Map<string, Topic>();

  constructor(parts: BusParts) {
    this.#parts = parts;
    this.#limit = new TimeLimit(parts.options.publishTimeout);
  }

  /**
   * Resolves when Redis has it.
   *
   * @throws (as a rejection) what the driver says
   */
  publish(type: EventType, envelope: Envelope, raw: string): Promise<unknown> {
    const topic = this.#topics.get(type.topic) ?? this.#add(type);
    if (performance.now() >= topic.noteAt) this.#note(topic);
    const stream = topic.streams[this.#partitionOf(topic, envelope)]!;
    const { client } = this.#parts.connection;
    const { maxLength } = type;
    const added = maxLength
      ? client.xadd(stream, 'MAXLEN', '~', maxLength, '*', 'e', raw)
      : client.xadd(stream, '*', 'e', raw);
    return this.#limit.apply(added);
  }

  #add(type: EventType): Topic {
    const keys = new TopicKeys(this.#parts.options.namespace, type.topic);
    const streams = Array.from({ length: type.partitions }, (_, partition) => keys.stream(partition));
    const topic = { type, keys, streams, noteAt: 0, next: 0 };
    this.#topics.set(type.topic, topic);
    return topic;
  }

  /** Consumers that know of fewer partitions learn of them. Sent before the event, on the same connection. */
  #note(topic: Topic): void {
    topic.noteAt = performance.now() + NOTE_AGAIN;
    const input = { key: topic.keys.partitions, partitions: topic.type.partitions };
    registerScript
      .run(this.#parts.connection.client, input)
      .catch(() => (topic.noteAt = performance.now() + AWAY));
  }

  #partitionOf(topic: Topic, { key, id }: Envelope): number {
    const { partitions } = topic.type;
    if (key !== undefined) return hashSlot(key) % partitions;
    // An id that the application chose: published again, it goes to where it went before.
    if (!id.startsWith(this.#parts.process)) return hashSlot(id) % partitions;
    // As many as are read at a time, one after the other: acknowledged together, they are less work.
    return Math.floor(topic.next++ / RUN) % partitions;
  }
}
