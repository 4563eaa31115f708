import { randomBytes } from 'node:crypto';
import type { RedisConnection } from '../redis/index.js';
import type { ConnectionUser } from '../redis/shared.js';
import { planHandlers } from './bootstrap/plan-handlers.js';
import type { FoundHandler } from './bootstrap/handler-discovery.js';
import { BroadcastDelivery } from './broadcast/broadcast-delivery.js';
import { BusEventPublisher, type BusCounts } from './bus-events.js';
import type { BusParts } from './bus-parts.js';
import { BroadcastDeadLetters } from './dead-letters/broadcast-dead-letters.js';
import { DeadLetters } from './dead-letters/dead-letters.js';
import { EventStream } from './delivery/event-stream.js';
import { DurablePublisher } from './durable/durable-publisher.js';
import { removeGroup } from './durable/group-removal.js';
import { TailDelivery } from './durable/tail/tail-delivery.js';
import { Trimmer } from './durable/trimming/trimmer.js';
import { EventCodec } from './events/event-codec.js';
import type { EventType } from './events/event-type.js';
import { EventTypes } from './events/event-types.js';
import { LocalDelivery } from './local/local-delivery.js';
import type { StreamOptions } from './options/pubsub-options.js';
import type { ResolvedRootOptions } from './options/resolved-options.js';
import { resolveStream } from './options/resolve-subscription.js';
import { KnownTopics } from './publishing/known-topics.js';
import { Publisher } from './publishing/publisher.js';
import type { Ways } from './publishing/ways.js';
import type { BusStats } from './stats/bus-stats.js';
import { readGroups } from './stats/group-stats.js';
import { Intakes, type Wish } from './subscriptions/intakes.js';
import type { Intake } from './subscriptions/intake.js';
import { ListenerIntake } from './subscriptions/listener-intake.js';
import { Starter } from './subscriptions/starter.js';
import { subjectOf, type SubjectLike } from './subscriptions/subject.js';
import type { Subscription } from './subscriptions/subscription.js';
import { Subscriptions } from './subscriptions/subscriptions.js';

/** What a stream is called in logs and figures. */
const STREAM = 'EventBus.stream';

/** All that the event bus of a connection stands on. */
export class BusEngine implements ConnectionUser {
  readonly types: EventTypes;
  readonly publisher: Publisher;
  readonly #parts: BusParts;
  readonly #ways: Ways;
  readonly #subscriptions: Subscriptions;
  readonly #intakes: Intakes;
  readonly #starter: Starter;
  /** What this process publishes, or handles. */
  readonly #durable = new Set<EventType>();

  constructor(connection: RedisConnection, options: ResolvedRootOptions) {
    // Of two applications in a process, and of a process that follows another with its id, none has the name of the other.
    const process = `${options.consumer}.${randomBytes(4).toString('hex')}`;
    const events = new BusEventPublisher(connection.id, options.namespace);
    const parts: BusParts = { connection, options, codec: new EventCodec(options, process), events, process };
    const dead = new BroadcastDeadLetters(parts);
    this.types = new EventTypes(options);
    this.#parts = parts;
    this.#ways = {
      local: new LocalDelivery(),
      broadcast: new BroadcastDelivery(parts, dead),
      durable: new DurablePublisher(parts),
      tail: new TailDelivery(parts, dead),
      trimmer: new Trimmer(parts),
      known: new KnownTopics(parts),
    };
    this.publisher = new Publisher(parts, this.#ways, this.#durable);
    this.#subscriptions = new Subscriptions(options.shutdownTimeout);
    this.#intakes = new Intakes(parts, this.#ways, this.types);
    this.#starter = new Starter(connection, this.#subscriptions, options.publishTimeout);
  }

  /** @throws PubSubConfigurationError, RedisError, EventBusClosedError */
  async subscribe(wish: Wish): Promise<Subscription> {
    const { signal } = wish.options;
    signal?.throwIfAborted();
    const close = () => void this.#subscriptions.close(intake);
    const intake = this.#plan(wish, () => signal?.removeEventListener('abort', close));
    signal?.addEventListener('abort', close);
    try {
      return await this.#subscriptions.open(intake);
    } catch (error) {
      // It was aborted while it was made.
      signal?.throwIfAborted();
      throw error;
    }
  }

  /** @throws PubSubConfigurationError, EventBusClosedError */
  stream<E>(given: SubjectLike, options: StreamOptions): EventStream<E> {
    const subject = subjectOf(this.types, given);
    const delivery = 'topic' in subject ? subject.delivery : undefined;
    const resolved = resolveStream(STREAM, delivery, options, this.#parts.options.defaults);
    const end = (): Promise<void> => this.#subscriptions.close(intake);
    const { signal } = options;
    const stream = new EventStream<E>(
      subject,
      { ...resolved, name: STREAM, signal },
      this.#parts.events,
      end,
    );
    const intake: Intake = new ListenerIntake(STREAM, stream, this.#ways);
    this.#subscriptions.add(STREAM, intake);
    void this.#starter.startSoon(intake).then(() => stream.stands());
    return stream;
  }

  deadLetters<E>(type: EventType): DeadLetters<E> {
    return new DeadLetters<E>(this.#parts, type, (envelope, raw) =>
      this.#ways.broadcast.publish(envelope, raw),
    );
  }

  removeGroup(type: EventType, group: string): Promise<boolean> {
    return removeGroup(this.#parts, type, group);
  }

  get connection(): RedisConnection {
    return this.#parts.connection;
  }

  get counts(): BusCounts {
    return { ...this.#parts.events.counts };
  }

  /** @throws RedisError, at the latest when Redis was waited for as long as for publishing */
  async stats(): Promise<BusStats> {
    const { connection, options } = this.#parts;
    if (connection.state !== 'ready') await connection.whenReady(options.publishTimeout);
    const groups = await readGroups(this.#parts, this.#durable);
    return { ...this.counts, groups };
  }

  /** Asks the server what it can. */
  start(): Promise<void> {
    return this.#ways.broadcast.start();
  }

  /**
   * Starts the handlers of the application, then sends what was published before.
   *
   * @throws PubSubConfigurationError with every problem of every handler; why a subscription cannot be made, unless Redis is away
   */
  async begin(handlers: readonly FoundHandler[]): Promise<void> {
    const intakes = planHandlers(handlers, (wish) => this.#plan(wish));
    await this.#starter.startAll(intakes);
    this.publisher.begin();
  }

  /** Ends all subscriptions; what they have is handled, within the time that a shutdown may take. Never rejects. */
  end(): Promise<void> {
    this.#starter.stop();
    return this.#subscriptions.closeAll();
  }

  /** Nothing is published any more. */
  async stop(): Promise<void> {
    // Already ended, but for an application that was never whole.
    await this.end();
    this.publisher.close();
    this.#ways.trimmer.stop();
    await Promise.all([this.#ways.broadcast.stop(), this.#ways.tail.stop()]);
  }

  #plan(wish: Wish, onClosing?: () => void): Intake {
    const intake = this.#intakes.of(wish);
    this.#subscriptions.add(wish.what, intake, onClosing);
    const subject = subjectOf(this.types, wish.subject);
    if ('topic' in subject && subject.delivery === 'durable') this.#durable.add(subject);
    return intake;
  }
}
