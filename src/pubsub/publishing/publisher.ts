import { RedisClosedError, RedisUnavailableError, toRedisError } from '../../redis/index.js';
import { TimeLimit } from '../../timing/time-limit.js';
import { EarlyEvents } from '../bootstrap/early-events.js';
import type { BusEventPublisher } from '../bus-events.js';
import type { BusParts } from '../bus-parts.js';
import { describeError } from '../describe-error.js';
import type { Envelope } from '../events/envelope.js';
import { keyOf } from '../events/event-key.js';
import type { EventType } from '../events/event-type.js';
import type { PublishOptions } from '../options/pubsub-options.js';
import { resolvePublishOptions } from '../options/resolve-publish-options.js';
import { currentTraceparent } from '../options/traceparent.js';
import { EventBusClosedError, EventUnavailableError } from '../pubsub-errors.js';
import { logger } from '../pubsub-logger.js';
import type { Ways } from './ways.js';

/** What is known of an event once it is published. */
export interface PublishedEvent {
  /** The same in each delivery of the event: `EventContext.id`. */
  readonly id: string;
}

/** An event that is checked and has all that is sent of it. */
interface Message {
  readonly type: EventType;
  readonly event: unknown;
  readonly envelope: Envelope;
  /** Empty for an event that does not leave the process. */
  readonly raw: string;
}

const NO_OPTIONS: ReturnType<typeof resolvePublishOptions> = {};

/** Checks events and sends each on its way. No promise more than is needed: they are the larger part of the work. */
export class Publisher {
  readonly #parts: BusParts;
  readonly #ways: Ways;
  readonly #events: BusEventPublisher;
  readonly #early = new EarlyEvents<Message>();
  readonly #durable: Set<EventType>;
  readonly #limit: TimeLimit;
  #count = 0;
  #isClosed = false;

  /** @param durable gets the types of the durable events that are published */
  constructor(parts: BusParts, ways: Ways, durable: Set<EventType>) {
    this.#durable = durable;
    this.#parts = parts;
    this.#ways = ways;
    this.#events = parts.events;
    this.#limit = new TimeLimit(parts.options.publishTimeout);
  }

  /** @throws PubSubError (as a rejection) */
  publish(type: EventType, event: unknown, options?: PublishOptions): Promise<PublishedEvent> {
    const startedAt = this.#events.has('published') ? performance.now() : 0;
    try {
      const message = this.#prepare(type, event, options);
      if (this.#early.isOver || type.delivery === 'durable') return this.#send(message, startedAt);
      this.#early.add(type.topic, message);
      return Promise.resolve({ id: message.envelope.id });
    } catch (error) {
      return Promise.reject(this.#rejected(type, error));
    }
  }

  /** Sends what has waited for the handlers; after that nothing waits. */
  begin(): void {
    this.#early.release((message) => {
      this.#send(message, performance.now()).catch((error: unknown) => logEarly(message, error));
    });
  }

  /** Nothing is published any more. */
  close(): void {
    this.#isClosed = true;
    for (const message of this.#early.abandon())
      logEarly(message, this.#rejected(message.type, closedError(message.type)));
  }

  #prepare(type: EventType, given: unknown, options: PublishOptions | undefined): Message {
    if (this.#isClosed) throw closedError(type);
    const { codec } = this.#parts;
    const { id, key, traceparent } = options ? resolvePublishOptions(type.topic, options) : NO_OPTIONS;
    const event = codec.prepare(type, given);
    const envelope = codec.envelope(type, event, {
      id: id ?? `${this.#parts.process}-${(this.#count++).toString(36)}`,
      key: key ?? keyOf(type, event),
      trace: traceparent ?? currentTraceparent(this.#parts.options.traceparent),
    });
    return { type, event, envelope, raw: type.delivery === 'local' ? '' : codec.encode(envelope) };
  }

  #send(message: Message, startedAt: number): Promise<PublishedEvent> {
    const { type, event, envelope } = message;
    try {
      if (type.delivery === 'local') {
        this.#ways.local.publish(type, event, envelope);
        return Promise.resolve(this.#published(message, startedAt));
      }
      const isReady = this.#parts.connection.state === 'ready';
      return (isReady ? this.#toRedis(message) : this.#onceReady(message)).then(
        () => this.#published(message, startedAt),
        (error: unknown) => {
          throw this.#rejected(type, explained(envelope, error));
        },
      );
    } catch (error) {
      return Promise.reject(this.#rejected(type, explained(envelope, error)));
    }
  }

  /** The driver would keep what it is given while Redis is away, and send it long after its publisher was told that it is lost. */
  async #onceReady(message: Message): Promise<unknown> {
    const { connection, options } = this.#parts;
    const until = performance.now() + options.publishTimeout;
    try {
      await connection.whenReady(options.publishTimeout);
    } catch (error) {
      if (error instanceof RedisClosedError) throw error;
      throw new RedisUnavailableError((error as Error).message, { cause: error });
    }
    return new TimeLimit(Math.max(1, Math.ceil(until - performance.now()))).apply(this.#toRedis(message));
  }

  #toRedis({ type, envelope, raw }: Message): Promise<unknown> {
    if (type.delivery === 'broadcast') {
      const send = () => this.#ways.broadcast.publish(envelope, raw);
      const asked = this.#ways.known.check(type);
      return asked ? this.#limit.apply(asked).then(send) : send();
    }
    this.#durable.add(type);
    this.#ways.trimmer.note(type);
    return this.#ways.durable.publish(type, envelope, raw);
  }

  #published({ type, envelope, raw }: Message, startedAt: number): PublishedEvent {
    const { id, topic } = envelope;
    this.#events.counts.published++;
    if (this.#events.has('published')) {
      const [size, took] = [Buffer.byteLength(raw), performance.now() - startedAt];
      this.#events.publish('published', { topic, id, delivery: type.delivery, size, took });
    }
    return { id };
  }

  #rejected({ topic, delivery }: EventType, error: unknown): unknown {
    this.#events.counts.rejected++;
    if (error instanceof Error) this.#events.publish('rejected', { topic, delivery, error });
    return error;
  }
}

/** What is no error of Redis stays what it is. */
function explained({ topic, id }: Envelope, error: unknown): unknown {
  const cause = toRedisError(error);
  if (cause instanceof RedisClosedError) return new EventBusClosedError(`Event '${topic}'`);
  return cause ? new EventUnavailableError(topic, id, cause) : error;
}

function closedError({ topic }: EventType): EventBusClosedError {
  return new EventBusClosedError(`Event '${topic}'`);
}

/** Its publisher was told that it waits, and cannot be told any more. */
function logEarly({ envelope: { topic, id } }: Message, error: unknown): void {
  logger.error(
    `Event '${topic}' ${id}, published before the application was ready, is lost`,
    describeError(error),
  );
}
