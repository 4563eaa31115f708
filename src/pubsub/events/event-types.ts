import { LRUCache } from 'lru-cache';
import { Problems, showValue } from '../../redis/shared.js';
import { PubSubConfigurationError } from '../options/pubsub-configuration-error.js';
import type { ResolvedRootOptions } from '../options/resolved-options.js';
import { PLAIN_TOPIC, resolveTopic } from '../options/resolve-topic.js';
import { eventMetadata } from './event.decorator.js';
import type { EventClass } from './event-options.js';
import type { EventType } from './event-type.js';
import { isTopic, TOPIC_EXPECTED } from './topic.js';
import { asyncValidators } from './validation.js';

/** What all that know of a topic must agree on: it has the same channel or streams for them. */
const SHARED = ['delivery', 'partitions', 'keep', 'retention', 'maxLength'] as const;

/** How many topics that nobody named before are remembered: their names may be made of data. */
const MOST_UNNAMED = 1_000;

const GIVE_MORE =
  "give the class or the topic, too: publish(CityViewed, { … }), publish('city.viewed', { … })";

/** The topics of an application. */
export class EventTypes {
  readonly #named = new Map<string, EventType>();
  readonly #unnamed = new LRUCache<string, EventType>({ max: MOST_UNNAMED });
  readonly #classes = new Map<object, EventType>();
  /** Of each topic that has classes, the first that was asked for. */
  readonly #first = new Map<string, EventType>();

  constructor({ topics }: Pick<ResolvedRootOptions, 'topics'>) {
    for (const [topic, options] of Object.entries(topics)) {
      const problems = new Problems();
      const type = { topic, classRef: undefined, ...resolveTopic(options, problems) };
      problems.throwAs((found) => new PubSubConfigurationError(`Topic '${topic}'`, found));
      this.#named.set(topic, Object.freeze(type));
    }
  }

  /**
   * What is known of a class's events, or of a topic's. One that is not among the module's `topics` is broadcast.
   *
   * @throws PubSubConfigurationError for a class without `@Event`, or with asynchronous validators; for what is no topic; for a class whose
   *   topic is among `topics`, and for one that says something else of its topic than another
   */
  of(event: EventClass | string): EventType {
    return typeof event === 'string' ? this.#ofTopic(event) : this.#ofClass(event);
  }

  /**
   * As {@link EventTypes.of}, for the class of an instance.
   *
   * @throws PubSubConfigurationError
   */
  ofInstance(event: unknown): EventType {
    if (typeof event !== 'object' || event === null || Array.isArray(event))
      throw wrong('The event', 'event', `${showValue(event)} is no instance of a class; ${GIVE_MORE}`);
    const prototype = Object.getPrototypeOf(event) as { readonly constructor?: unknown } | null;
    const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
    if (!isPlain && typeof prototype.constructor === 'function') return this.#ofClass(prototype.constructor);
    throw wrong('The event', 'event', `is a plain object; ${GIVE_MORE}`);
  }

  #ofTopic(topic: string): EventType {
    const known = this.#named.get(topic) ?? this.#unnamed.get(topic);
    if (known) return known;
    if (!isTopic(topic))
      throw wrong(`Topic ${showValue(topic)}`, 'topic', `${showValue(topic)} is not ${TOPIC_EXPECTED}`);
    const type: EventType = Object.freeze({ topic, classRef: undefined, ...PLAIN_TOPIC });
    const first = this.#first.get(topic);
    if (first) checkAgreement(type, first);
    this.#unnamed.set(topic, type);
    return type;
  }

  #ofClass(classRef: object): EventType {
    const known = this.#classes.get(classRef);
    if (known) return known;
    const type = typeof classRef === 'function' ? eventMetadata(classRef) : undefined;
    if (!type) {
      const name = nameOf(classRef);
      throw wrong(name, '@Event', `is missing on ${name}: only a class with it can be an event`);
    }
    this.#check(type);
    this.#classes.set(classRef, type);
    if (!this.#first.has(type.topic)) this.#first.set(type.topic, type);
    return type;
  }

  #check(type: EventType): void {
    const { topic } = type;
    if (this.#named.has(topic))
      throw wrong(describe(type), 'topic', `'${topic}' is among the module's topics, too; it can be either`);
    const other = this.#first.get(topic) ?? this.#unnamed.get(topic);
    if (other) checkAgreement(type, other);
    const [property] = asyncValidators(type.classRef!);
    if (property !== undefined)
      throw wrong(
        describe(type),
        property,
        'has an asynchronous validator; events are checked synchronously',
      );
  }
}

function checkAgreement(type: EventType, other: EventType): void {
  const problems = new Problems();
  for (const option of SHARED) {
    if (type[option] === other[option]) continue;
    const says = `${describe(other)} says ${showValue(other[option])} for the same topic`;
    problems.add(option, `is ${showValue(type[option])}, but ${says}`);
  }
  problems.throwAs((found) => new PubSubConfigurationError(describe(type), found));
}

function describe({ classRef, topic }: EventType): string {
  return classRef ? `@Event on ${classRef.name}` : `Topic '${topic}'`;
}

function nameOf(classRef: object): string {
  return typeof classRef === 'function' ? classRef.name || 'a class without a name' : showValue(classRef);
}

function wrong(subject: string, option: string, message: string): PubSubConfigurationError {
  return new PubSubConfigurationError(subject, [{ option, message }]);
}
