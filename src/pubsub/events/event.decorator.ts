import { Problems, showValue } from '../../redis/shared.js';
import { PubSubConfigurationError } from '../options/pubsub-configuration-error.js';
import { checkTopic, resolveEvent } from '../options/resolve-topic.js';
import type { EventClass, EventOptions } from './event-options.js';
import type { EventType } from './event-type.js';

const EVENT = Symbol('rednest:event');

/**
 * Makes a class that of the events of a topic. Its properties are checked by class-validator, when an event is published and when it
 * arrives; what arrives is an instance of the class, made without arguments and filled in. Decorators of class-transformer are heeded.
 *
 * A class that extends it has a topic only if it has the decorator, too.
 *
 * @param topic parts of letters, digits, `_` and `-`, with `.` between them
 * @throws PubSubConfigurationError for a wrong topic or wrong options, when the class is defined
 * @example
 * \@Event('city.viewed', { delivery: 'durable', key: (event) => event.city })
 * export class CityViewed {
 *   \@IsInt()
 *   readonly city!: number;
 * }
 */
export function Event<E extends object>(
  topic: string,
  options: EventOptions<E> = {},
): (classRef: EventClass<E>) => void {
  return (classRef) => {
    const problems = new Problems();
    checkTopic(topic, problems);
    const resolved = resolveEvent(options, problems);
    const earlier = eventMetadata(classRef);
    if (earlier) problems.add('topic', `is ${showValue(earlier.topic)} already: one @Event is for one class`);
    problems.throwAs(
      (found) =>
        new PubSubConfigurationError(`@Event on ${classRef.name || 'a class without a name'}`, found),
    );
    const type: EventType = Object.freeze({ topic, classRef, ...resolved });
    Object.defineProperty(classRef, EVENT, { value: type });
  };
}

/** What {@link Event} says of the very class, not of one that it extends. */
export function eventMetadata(classRef: object): EventType | undefined {
  return Object.hasOwn(classRef, EVENT) ? (classRef as { readonly [EVENT]?: EventType })[EVENT] : undefined;
}
