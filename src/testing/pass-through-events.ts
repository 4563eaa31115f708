import type { Provider } from '@nestjs/common';
import type { BusEngine } from '../pubsub/bus-engine.js';
import { BusEventPublisher } from '../pubsub/bus-events.js';
import type { DeadLetters } from '../pubsub/dead-letters/dead-letters.js';
import { EventStream } from '../pubsub/delivery/event-stream.js';
import { EventBus } from '../pubsub/event-bus.js';
import { EventCodec } from '../pubsub/events/event-codec.js';
import type { EventType } from '../pubsub/events/event-type.js';
import { EventTypes } from '../pubsub/events/event-types.js';
import type { PublishOptions, StreamOptions } from '../pubsub/options/pubsub-options.js';
import { resolveRootOptions } from '../pubsub/options/resolve-pubsub-options.js';
import { resolveStream } from '../pubsub/options/resolve-subscription.js';
import type { PublishedEvent, Publisher } from '../pubsub/publishing/publisher.js';
import type { BusStats } from '../pubsub/stats/bus-stats.js';
import type { Wish } from '../pubsub/subscriptions/intakes.js';
import { nameOf, subjectOf, type SubjectLike } from '../pubsub/subscriptions/subject.js';
import { Subscription } from '../pubsub/subscriptions/subscription.js';

/** An event that a test's subject has published. */
export interface RecordedEvent {
  readonly topic: string;
  /** An instance of the event's class, if it has one. */
  readonly event: unknown;
  readonly id: string;
  readonly options: PublishOptions;
}

/**
 * Providers of an event bus that only records, for unit tests without Redis: {@link passThroughEventBus}, where `PubSubModule` is not imported.
 *
 * @example
 * const testing = await Test.createTestingModule({ providers: [CitiesService, ...passThroughEvents()] }).compile();
 * await testing.get(CitiesService).view(7);
 * expect(recordedEvents(testing.get(EventBus))).toMatchObject([{ topic: 'city.viewed', event: { city: 7 } }]);
 */
export function passThroughEvents(): Provider[] {
  return [{ provide: EventBus, useFactory: passThroughEventBus }];
}

/**
 * An event bus that only records: events are checked as they would be, and come to nobody, so that methods with `@Subscribe` are called by the
 * test alone. There are no dead letters.
 *
 * @example
 * // Where PubSubModule is imported; its connection need not be there then.
 * Test.createTestingModule({ imports: [AppModule] }).overrideProvider(EventBus).useValue(passThroughEventBus());
 */
export function passThroughEventBus(): EventBus {
  const engine = new PassThroughEngine();
  const bus = new EventBus(engine as EngineFace as BusEngine);
  engines.set(bus, engine);
  return bus;
}

/**
 * What was published to a {@link passThroughEventBus}, the first first.
 *
 * @throws TypeError for another
 */
export function recordedEvents(bus: EventBus): readonly RecordedEvent[] {
  const engine = engines.get(bus);
  if (!engine)
    throw new TypeError('Only what passThroughEvents() and passThroughEventBus() give records events');
  return engine.publisher.recorded;
}

/** All of an engine that does without a server; the rest of it is private. */
type EngineFace = Omit<Pick<BusEngine, keyof BusEngine>, 'publisher'> & {
  readonly publisher: Pick<Publisher, 'publish'>;
};

const engines = new WeakMap<EventBus, PassThroughEngine>();

const OPTIONS = resolveRootOptions({});

class PassThroughEngine implements EngineFace {
  readonly types = new EventTypes(OPTIONS);
  readonly publisher = new RecordingPublisher();
  readonly #events = new BusEventPublisher('pass-through', OPTIONS.namespace);

  async subscribe({ subject, options: { name } }: Wish): Promise<Subscription> {
    const topic = nameOf(subjectOf(this.types, subject));
    return new Subscription({ name, topic }, () => Promise.resolve());
  }

  stream<E>(given: SubjectLike, options: StreamOptions): EventStream<E> {
    const name = 'EventBus.stream';
    const resolved = { ...resolveStream(name, options, OPTIONS.defaults), name, signal: options.signal };
    return new EventStream<E>(subjectOf(this.types, given), resolved, this.#events, () => undefined);
  }

  deadLetters<E>({ topic }: EventType): DeadLetters<E> {
    const none: Pick<DeadLetters<E>, keyof DeadLetters<E>> = {
      topic,
      count: async () => 0,
      list: async function* () {},
      replay: async () => 0,
      drop: async () => 0,
    };
    return none as DeadLetters<E>;
  }

  async stats(): Promise<BusStats> {
    return { ...this.#events.counts, published: this.publisher.recorded.length, groups: [] };
  }

  async start(): Promise<void> {}

  async begin(): Promise<void> {}

  async end(): Promise<void> {}

  async stop(): Promise<void> {}
}

class RecordingPublisher implements Pick<Publisher, 'publish'> {
  readonly recorded: RecordedEvent[] = [];
  readonly #codec = new EventCodec(OPTIONS, 'pass-through');

  async publish(type: EventType, given: unknown, options: PublishOptions = {}): Promise<PublishedEvent> {
    const event = this.#codec.prepare(type, given);
    const { topic } = type;
    const id = options.id ?? `pass-through-${this.recorded.length}`;
    // What cannot be sent is refused here, too.
    if (type.delivery !== 'local')
      this.#codec.encode(this.#codec.envelope(type, event, { id, key: undefined, trace: undefined }));
    this.recorded.push({ topic, event, id, options });
    return { id };
  }
}
