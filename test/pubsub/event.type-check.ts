/**
 * What the decorator's types must refuse, checked by `tsc --noEmit`: where one of these lines compiled, its `@ts-expect-error` would
 * not. Nothing of it runs.
 */
import { Event } from '../../src/pubsub/events/event.decorator.js';
import type { EventClass, EventOptions } from '../../src/pubsub/events/event-options.js';

@Event('city.viewed')
export class Plain {
  city!: number;
}

@Event('city.viewed', {
  delivery: 'durable',
  key: (event) => event.city.toFixed(),
  keep: '5m',
  retention: '30d',
})
export class Keyed {
  city!: number;
}

@Event('city.viewed', { delivery: 'durable', key: ({ city }) => city, partitions: 4, maxLength: 10_000 })
export class KeyedByProperty {
  readonly city?: number;
}

@Event('city.viewed', { key: (event: Plain) => event.city })
export class KeyedByBase extends Plain {
  name!: string;
}

@Event('city.viewed', {
  version: 2,
  upgrade: (data, version) => (version === 1 ? { ...data, source: 'web' } : undefined),
})
export class Upgraded {
  city!: number;
}

@Event('city.viewed')
export class WithConstructor {
  constructor(
    readonly city: number,
    readonly name: string,
  ) {}
}

@Event('city.viewed', { key: ({ id }) => id })
export class Generic<T> {
  id!: string;
  first!: T;
  second!: T;
}

export const options: EventOptions<Plain> = { key: (event) => event.city };
export const classRef: EventClass<Plain> = KeyedByBase;

// @ts-expect-error: the class has no such property
@Event('city.viewed', { key: (event) => event.code })
export class WrongProperty {
  city!: number;
}

// @ts-expect-error: an object is no key
@Event('city.viewed', { key: (event) => event.place })
export class WrongKey {
  place!: { id: number };
}

// @ts-expect-error: a promise is no key
@Event('city.viewed', { key: async (event) => event.city })
export class AsyncKey {
  city!: number;
}

// @ts-expect-error: the key is of another class
@Event('city.viewed', { key: (event: Plain) => event.city })
export class OtherClass {
  id!: number;
}

// @ts-expect-error: a topic is needed
@Event()
export class WithoutTopic {}

// @ts-expect-error: not a delivery
@Event('city.viewed', { delivery: 'queue' })
export class WrongDelivery {}

// @ts-expect-error: a duration has a unit
@Event('city.viewed', { delivery: 'durable', keep: '10 minutes' })
export class WrongDuration {}

// @ts-expect-error: no such option
@Event('city.viewed', { retries: 5 })
export class UnknownOption {}

// @ts-expect-error: a version is a number
@Event('city.viewed', { version: '2' })
export class WrongVersion {}

// @ts-expect-error: nobody could make an instance
@Event('city.viewed')
export abstract class Abstract {
  city!: number;
}

export class Method {
  // @ts-expect-error: not a class
  @Event('city.viewed')
  method(): void {}
}
