import { hashSlot } from '../../redis/index.js';
import { TimeLimit } from '../../timing/time-limit.js';
import type { BusParts } from '../bus-parts.js';
import type { Envelope } from '../events/envelope.js';
import type { EventType } from '../events/event-type.js';
import { registerScript } from './group/scripts.js';
import { TopicKeys } from './topic-keys.js';

/** Events without a key that go to a partition before the next has its turn. */
const RUN = 64;

interface Topic {
  readonly type: EventType;
  readonly keys: TopicKeys;
  readonly streams: readonly string[];
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
    this.#limit = new TimeLimit(parts.options.timeout);
  }

  /**
   * Resolves when Redis has it.
   *
   * @throws (as a rejection) what the driver says
   */
  publish(type: EventType, envelope: Envelope, raw: string): Promise<unknown> {
    const topic = this.#topics.get(type.topic) ?? this.#register(type);
    const stream = topic.streams[this.#partitionOf(topic, envelope)]!;
    const { client } = this.#parts.connection;
    const { maxLength } = type;
    const added = maxLength
      ? client.xadd(stream, 'MAXLEN', '~', maxLength, '*', 'e', raw)
      : client.xadd(stream, '*', 'e', raw);
    return this.#limit.apply(added);
  }

  /** Consumers that know of fewer partitions learn of them. Sent before the first event, on the same connection. */
  #register(type: EventType): Topic {
    const { connection, options } = this.#parts;
    const keys = new TopicKeys(options.namespace, type.topic);
    const streams = Array.from({ length: type.partitions }, (_, partition) => keys.stream(partition));
    const topic = { type, keys, streams, next: 0 };
    this.#topics.set(type.topic, topic);
    const input = { key: keys.partitions, partitions: type.partitions };
    registerScript.run(connection.client, input).catch(() => this.#topics.delete(type.topic));
    return topic;
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
