import { injectService } from '../../decorators/inject-service.js';
import { EventBus } from '../event-bus.js';
import type { EventContext } from '../delivery/event-context.js';
import type { EventClass } from '../events/event-options.js';
import type { SubjectLike } from '../subscriptions/subject.js';
import type { SubscribeOptions } from './subscribe-options.js';
import { addHandling } from './handlings.js';

const BUS = Symbol.for('rednest:PubSubModule');

/** A decorator for methods that can be given such an event. */
export type SubscribeDecorator<E> = <F extends (event: E, context: EventContext) => unknown>(
  target: object,
  property: string | symbol,
  descriptor: TypedPropertyDescriptor<F>,
) => void;

/**
 * Has the method handle events: of a class, of a topic, or of all topics of a pattern (`city.*`). It goes on methods of providers and
 * controllers, several times if need be. A request-scoped class has an instance for each event, and the event's context is its request.
 *
 * As usual in Nest, a method that overrides one with the decorator handles events if it has the decorator, too, and then once.
 *
 * @throws TypeError for what is no method, and without a class or topic, when the class is defined. Options are checked when the application starts, together
 * @example
 * \@Subscribe(CityViewed, { group: 'ranking', retries: 5 })
 * async count(event: CityViewed, context: EventContext): Promise<void> { … }
 * @example
 * \@Subscribe<Order>('order.placed', { group: 'invoices' }) // the payload's type is the application's word
 * async invoice(order: Order): Promise<void> { … }
 * @example
 * \@Subscribe('city.*')
 * log(event: unknown, { topic }: EventContext): void { … }
 */
export function Subscribe<E extends object>(
  event: EventClass<E>,
  options?: SubscribeOptions,
): SubscribeDecorator<E>;
export function Subscribe<E = unknown>(
  topicOrPattern: string,
  options?: SubscribeOptions,
): SubscribeDecorator<E>;
export function Subscribe(subject: SubjectLike, options: SubscribeOptions = {}): SubscribeDecorator<never> {
  return (target, property, descriptor) => {
    const method: unknown = descriptor?.value;
    const owner = typeof target === 'function' ? target.name : target.constructor.name;
    const place = `@Subscribe on ${owner}.${String(property)}`;
    if (typeof target === 'function') throw new TypeError(`${place}: a static method cannot handle events`);
    if (typeof method !== 'function') throw new TypeError(`${place}: this is not a method`);
    if (typeof property === 'symbol')
      throw new TypeError(`${place}: a method is found by its name, and a symbol is none`);
    if (subject === undefined)
      throw new TypeError(
        `${place}: there is no class or topic; is it the class of a file that imports this one?`,
      );
    // So that Nest tells at the start where there is no event bus.
    injectService(target, BUS, EventBus);
    addHandling(method, { subject, options });
  };
}
