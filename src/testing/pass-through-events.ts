import type { Provider } from '@nestjs/common';
import type { RedisConnection } from '../redis/index.js';
import type { BusEngine } from '../pubsub/bus-engine.js';
import { BusEventPublisher, type BusCounts } from '../pubsub/bus-events.js';
import type { BusParts } from '../pubsub/bus-parts.js';
import type { DeadLetters } from '../pubsub/dead-letters/dead-letters.js';
import { EventStream } from '../pubsub/delivery/event-stream.js';
import { EventBus } from '../pubsub/event-bus.js';
import type { Envelope } from '../pubsub/events/envelope.js';
import { EventCodec } from '../pubsub/events/event-codec.js';
import type { EventType } from '../pubsub/events/event-type.js';
import { EventTypes } from '../pubsub/events/event-types.js';
import type { PublishOptions, PubSubRootOptions, StreamOptions } from '../pubsub/options/pubsub-options.js';
import { resolveRootOptions } from '../pubsub/options/resolve-pubsub-options.js';
import { resolveStream } from '../pubsub/options/resolve-subscription.js';
import { Publisher, type PublishedEvent } from '../pubsub/publishing/publisher.js';
import type { Ways } from '../pubsub/publishing/ways.js';
import type { BusStats } from '../pubsub/stats/bus-stats.js';
import { Intakes, type Wish } from '../pubsub/subscriptions/intakes.js';
import { subjectOf, type SubjectLike } from '../pubsub/subscriptions/subject.js';
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
 * @param options those of `PubSubModule.forRoot`, where its `topics`, `maxSize`, `validator` and the like matter
 * @example
 * const testing = await Test.createTestingModule({ providers: [CitiesService, ...passThroughEvents()] }).compile();
 * await testing.get(CitiesService).view(7);
 * expect(recordedEvents(testing.get(EventBus))).toMatchObject([{ topic: 'city.viewed', event: { city: 7 } }]);
 */
export function passThroughEvents(options: PubSubRootOptions = {}): Provider[] {
  return [{ provide: EventBus, useFactory: () => passThroughEventBus(options) }];
}

/**
 * An event bus that only records: events, options and subscriptions are checked as they would be, and events come to nobody, so that methods with `@Subscribe` are called by the
 * test alone. There are no dead letters.
 *
 * @example
 * // Where PubSubModule is imported; its connection need not be there then.
 * Test.createTestingModule({ imports: [AppModule] }).overrideProvider(EventBus).useValue(passThroughEventBus());
 */
export function passThroughEventBus(options: PubSubRootOptions = {}): EventBus {
  const engine = new PassThroughEngine(options);
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
type EngineFace = Omit<Pick<BusEngine, keyof BusEngine>, 'publisher' | 'connection'> & {
  readonly publisher: Pick<Publisher, 'publish'>;
};

/** All that a publisher needs of the ways. */
type WaysFace = {
  readonly [Name in 'local' | 'broadcast' | 'durable']: Pick<Ways[Name], 'publish'>;
} & {
  readonly known: Pick<Ways['known'], 'check'>;
  readonly trimmer: Pick<Ways['trimmer'], 'note'>;
};

const engines = new WeakMap<EventBus, PassThroughEngine>();

const STREAM = 'EventBus.stream';

class PassThroughEngine implements EngineFace {
  readonly types: EventTypes;
  readonly publisher: RecordingPublisher;
  readonly #parts: BusParts;
  readonly #intakes: Intakes;

  constructor(given: PubSubRootOptions) {
    const options = resolveRootOptions(given);
    const process = 'pass-through';
    // Nothing else is asked of it.
    const connection: Pick<RedisConnection, 'state'> = { state: 'ready' };
    const events = new BusEventPublisher(process, options.namespace);
    this.#parts = {
      connection: connection as RedisConnection,
      options,
      codec: new EventCodec(options, process),
      events,
      process,
    };
    this.types = new EventTypes(options);
    this.publisher = new RecordingPublisher(this.#parts);
    // What they make is not started.
    this.#intakes = new Intakes(this.#parts, {} as Ways, this.types);
  }

  async subscribe(wish: Wish): Promise<Subscription> {
    wish.options.signal?.throwIfAborted();
    return new Subscription(this.#intakes.of(wish), () => Promise.resolve());
  }

  stream<E>(given: SubjectLike, options: StreamOptions): EventStream<E> {
    const subject = subjectOf(this.types, given);
    const delivery = 'topic' in subject ? subject.delivery : undefined;
    const resolved = resolveStream(STREAM, delivery, options, this.#parts.options.defaults);
    const details = { ...resolved, name: STREAM, signal: options.signal };
    const stream = new EventStream<E>(subject, details, this.#parts.events, () => undefined);
    stream.stands();
    return stream;
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

  async removeGroup(): Promise<boolean> {
    return false;
  }

  get counts(): BusCounts {
    return { ...this.#parts.events.counts };
  }

  async stats(): Promise<BusStats> {
    return { ...this.counts, groups: [] };
  }

  async start(): Promise<void> {}

  async begin(): Promise<void> {}

  async end(): Promise<void> {}

  async stop(): Promise<void> {}
}

/** Publishes as ever, but for the last step. */
class RecordingPublisher implements Pick<Publisher, 'publish'> {
  readonly recorded: RecordedEvent[] = [];
  readonly #codec: EventCodec;
  readonly #publisher: Publisher;
  #current: Omit<RecordedEvent, 'id'> | undefined;

  constructor(parts: BusParts) {
    this.#codec = parts.codec;
    const record = ({ id }: Envelope): void => void this.recorded.push({ ...this.#current!, id });
    const recordLater = async (envelope: Envelope): Promise<void> => record(envelope);
    const ways: WaysFace = {
      local: { publish: (_type, _event, envelope) => record(envelope) },
      broadcast: { publish: recordLater },
      durable: { publish: (_type, envelope) => recordLater(envelope) },
      known: { check: () => undefined },
      trimmer: { note: () => undefined },
    };
    this.#publisher = new Publisher(parts, ways as Ways, new Set());
    this.#publisher.begin();
  }

  /** The publisher comes to its last step, and so to the record, before it returns. */
  async publish(type: EventType, given: unknown, options: PublishOptions = {}): Promise<PublishedEvent> {
    const event = this.#codec.prepare(type, given);
    this.#current = { topic: type.topic, event, options };
    return this.#publisher.publish(type, event, options);
  }
}
