import { TimeLimit } from '../../timing/time-limit.js';
import type { BusParts } from '../bus-parts.js';
import { orRedisError } from '../../redis/shared.js';
import { TopicKeys } from '../durable/topic-keys.js';
import type { EventType } from '../events/event-type.js';
import { PubSubConfigurationError } from '../options/pubsub-configuration-error.js';

/**
 * Keeps a topic that is durable elsewhere from being taken for a broadcast here, by a process that names it, and has loaded no class of it.
 * Redis is asked once for a topic, and only where neither a class nor the module's `topics` say what it is.
 */
export class KnownTopics {
  readonly #parts: BusParts;
  readonly #limit: TimeLimit;
  /** What they are for is known. The types of topics without a name are remembered by others, as many as may be. */
  readonly #known = new WeakSet<EventType>();
  readonly #asked = new WeakMap<EventType, Promise<void>>();

  constructor(parts: BusParts) {
    this.#parts = parts;
    this.#limit = new TimeLimit(parts.options.publishTimeout);
  }

  /**
   * To be waited for before an event is broadcast, or subscribed to; undefined where there is nothing to wait for.
   *
   * @throws (as a rejection) PubSubConfigurationError for a topic that is durable; RedisError
   */
  check(type: EventType): Promise<void> | undefined {
    if (this.#known.has(type)) return undefined;
    if (this.#isSaid(type)) {
      this.#known.add(type);
      return undefined;
    }
    const asked = this.#asked.get(type);
    if (asked) return asked;
    const asking = this.#limit.apply(this.#check(type));
    this.#asked.set(type, asking);
    const forget = (): unknown => this.#asked.delete(type);
    // The first that learns of it: what is published from then on goes after what has waited.
    asking.then(() => {
      this.#known.add(type);
      forget();
    }, forget);
    return asking;
  }

  /**
   * Whether a topic is durable, as far as this process and Redis know.
   *
   * @throws RedisError
   */
  async isDurable(type: EventType): Promise<boolean> {
    if (this.#isSaid(type)) return type.delivery === 'durable';
    const { connection, options } = this.#parts;
    const { partitions } = new TopicKeys(options.namespace, type.topic);
    return (await orRedisError(connection.client.exists(partitions))) === 1;
  }

  /** Whether the application says what it is. */
  #isSaid({ classRef, delivery, topic }: EventType): boolean {
    return (
      classRef !== undefined || delivery !== 'broadcast' || Object.hasOwn(this.#parts.options.topics, topic)
    );
  }

  async #check(type: EventType): Promise<void> {
    if (!(await this.isDurable(type))) return;
    throw new PubSubConfigurationError(`Topic '${type.topic}'`, [
      {
        option: 'delivery',
        message:
          "is durable for others: give the event's class, or name it among the module's topics, as they do",
      },
    ]);
  }
}
