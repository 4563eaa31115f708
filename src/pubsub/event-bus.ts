import { Injectable } from '@nestjs/common';
import type { RedisConnection } from '../redis/index.js';
import type { BusEngine } from './bus-engine.js';
import type { BusCounts } from './bus-events.js';
import type { DeadLetters } from './dead-letters/dead-letters.js';
import type { EventHandler } from './delivery/event-handler.js';
import type { EventStream } from './delivery/event-stream.js';
import type { EventClass } from './events/event-options.js';
import { checkCall } from './options/check-call.js';
import type { PublishOptions, StreamOptions, SubscribeCallOptions } from './options/pubsub-options.js';
import type { PublishedEvent } from './publishing/publisher.js';
import type { BusStats } from './stats/bus-stats.js';
import type { SubjectLike } from './subscriptions/subject.js';
import type { Subscription } from './subscriptions/subscription.js';

/** What an event of a class is made of: its properties. */
export type EventData<E> = { [K in keyof E as E[K] extends (...args: never[]) => unknown ? never : K]: E[K] };

/** An instance of a class: no function, no array, and no object literal. */
export interface EventInstance {
  readonly constructor: Function;
  readonly [Symbol.hasInstance]?: never;
  readonly [Symbol.unscopables]?: never;
}

/**
 * Events between the parts of an application, and between its replicas.
 *
 * @example
 * await bus.publish(new CityViewed(city.id));
 */
@Injectable()
export class EventBus {
  readonly #engine: BusEngine;

  /** `PubSubModule` makes it. */
  constructor(engine: BusEngine) {
    this.#engine = engine;
  }

  /** @internal Undefined for what stands in for an event bus in a test. */
  static engineOf(bus: object): BusEngine | undefined {
    return #engine in bus ? bus.#engine : undefined;
  }

  /**
   * Publishes an event: an instance of its class; a class, and the properties of an instance; a topic, and a payload that JSON can say.
   *
   * Resolves when Redis has it; of a local event, when the handlers were given it, without waiting for them. While the application starts,
   * events that are not durable wait for its handlers, and the promise does not wait for that.
   *
   * @returns the id by which handlers know the event
   * @throws (as a rejection) EventInvalidError and EventTooLargeError: nothing was published; EventUnavailableError: Redis was away, or silent
   *   for longer than `publishTimeout`, and says whether it may have been published; EventBusFullError: too many wait for the application to be
   *   ready; EventBusClosedError: it has shut down; PubSubConfigurationError: for a class without `@Event`, what is no topic, wrong options
   * @example
   * await bus.publish(CityViewed, { city: 7 }, { id: request.id });
   * await bus.publish('city.renamed', { city: 7, name: 'Weimar' });
   */
  publish<E extends object>(
    event: EventClass<E>,
    data: EventData<E>,
    options?: PublishOptions,
  ): Promise<PublishedEvent>;
  publish(topic: string, payload: unknown, options?: PublishOptions): Promise<PublishedEvent>;
  publish(event: object & EventInstance, options?: PublishOptions): Promise<PublishedEvent>;
  publish(first: unknown, second?: unknown, third?: PublishOptions): Promise<PublishedEvent> {
    const { types, publisher } = this.#engine;
    try {
      if (typeof first === 'function' || typeof first === 'string')
        return publisher.publish(types.of(first as SubjectLike), second, third);
      return publisher.publish(types.ofInstance(first), first, second as PublishOptions | undefined);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Has events handled from now on: of a class, of a topic, or of all topics of a pattern (`city.*`).
   *
   * @returns when events come
   * @throws PubSubConfigurationError; RedisError where it cannot be subscribed; EventBusClosedError; the reason of a `signal` that was aborted
   * @example
   * await using subscription = await bus.subscribe(CityUpdated, ({ city }) => this.#drop(city));
   */
  subscribe<E extends object>(
    event: EventClass<E>,
    handler: EventHandler<E>,
    options?: SubscribeCallOptions,
  ): Promise<Subscription>;
  // What comes is the application's word: it says so, or it is unknown. It is not taken from the handler.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  subscribe<E = unknown>(
    topicOrPattern: string,
    handler: EventHandler<NoInfer<E>>,
    options?: SubscribeCallOptions,
  ): Promise<Subscription>;
  async subscribe(
    subject: SubjectLike,
    handler: EventHandler<never>,
    options: SubscribeCallOptions = {},
  ): Promise<Subscription> {
    checkCall('EventBus.subscribe', handler, options);
    const name = options.name ?? (handler.name || 'a function');
    return this.#engine.subscribe({
      what: 'EventBus.subscribe',
      subject,
      handler,
      options: { ...options, name },
    });
  }

  /**
   * Events as they come, for `for await`: of a class, of a topic, or of a pattern. Those of a durable event are not shared: each stream gets
   * all. What is not taken yet waits in a buffer.
   *
   * @throws PubSubConfigurationError, EventBusClosedError
   * @example
   * for await (const view of bus.stream(CityViewed, { signal, buffer: 100 })) response.write(format(view));
   */
  stream<E extends object>(event: EventClass<E>, options?: StreamOptions): EventStream<E>;
  stream<E = unknown>(topicOrPattern: string, options?: StreamOptions): EventStream<E>;
  stream(subject: SubjectLike, options: StreamOptions = {}): EventStream<unknown> {
    return this.#engine.stream(subject, options);
  }

  /**
   * What could not be handled of an event, to be listed, replayed and dropped.
   *
   * @throws PubSubConfigurationError for a class without `@Event`, and for what is no topic
   */
  deadLetters(event: SubjectLike): DeadLetters {
    return this.#engine.deadLetters(this.#engine.types.of(event));
  }

  /**
   * Removes a group of a durable event for good, with all that is kept of it, save for its dead letters: events wait for it no more.
   *
   * @returns whether there was such a group
   * @throws GroupInUseError while a replica handles its events, and for a `lease` after one has died; RedisError; PubSubConfigurationError
   * @example
   * await bus.removeGroup(CityViewed, 'ranking-2025');
   */
  async removeGroup(event: SubjectLike, group: string): Promise<boolean> {
    return this.#engine.removeGroup(this.#engine.types.of(event), group);
  }

  /** The connection that its events go through; undefined for what stands in for an event bus in a test. */
  get connection(): RedisConnection | undefined {
    return this.#engine.connection;
  }

  /** How often each thing has happened in this process, now. Needs no Redis. */
  get counts(): BusCounts {
    return this.#engine.counts;
  }

  /** {@link EventBus.counts}, and how far each group of the durable events that this process knows is. @throws RedisError */
  stats(): Promise<BusStats> {
    return this.#engine.stats();
  }
}
