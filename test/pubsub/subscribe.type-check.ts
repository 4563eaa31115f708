/**
 * What the types of the event bus must refuse, checked by `tsc --noEmit`: where one of these lines compiled, its `@ts-expect-error` would
 * not. Nothing of it runs.
 */
import { Event, Subscribe, type EventBus, type EventContext } from 'rednest';

@Event('order.paid', { delivery: 'durable', key: (event) => event.order.toFixed() })
class OrderPaid {
  readonly order!: number;

  get isFree(): boolean {
    return false;
  }

  describe(): string {
    return `order ${this.order}`;
  }
}

class Other {
  readonly name!: string;
}

class Base {
  readonly order!: number;
}

export class Accepted {
  @Subscribe(OrderPaid, { group: 'invoices', retries: 5, backoff: { initial: '1s' } })
  async event(_event: OrderPaid, _context: EventContext): Promise<void> {}

  @Subscribe(OrderPaid, { delivery: 'broadcast', onGap: 'nothing' })
  base(_event: Base): number {
    return 1;
  }

  @Subscribe('order.*')
  @Subscribe(OrderPaid, { group: 'log' })
  anything(_event: unknown): void {}

  @Subscribe('order.cancelled')
  nothing(): void {}

  @Subscribe<Base>('order.cancelled')
  typed(_event: Base): void {}
}

export class Refused {
  // @ts-expect-error: the event is another
  @Subscribe(OrderPaid, { group: 'invoices' })
  other(_event: Other): void {}

  // @ts-expect-error: the payload is said to be another
  @Subscribe<Other>('order.cancelled')
  typed(_event: OrderPaid): void {}

  // @ts-expect-error: what comes by a pattern is unknown
  @Subscribe('order.*')
  pattern(_event: OrderPaid): void {}

  // @ts-expect-error: one of the two is another
  @Subscribe('order.cancelled')
  @Subscribe(OrderPaid, { group: 'log' })
  both(_event: OrderPaid): void {}

  // @ts-expect-error: nobody gives a second parameter that is a text
  @Subscribe(OrderPaid, { group: 'invoices' })
  second(_event: OrderPaid, _text: string): void {}

  // @ts-expect-error: nobody gives a third
  @Subscribe(OrderPaid, { group: 'invoices' })
  third(_event: OrderPaid, _context: EventContext, _more: number): void {}

  // @ts-expect-error: no option
  @Subscribe(OrderPaid, { grup: 'invoices' })
  misspelt(_event: OrderPaid): void {}

  // @ts-expect-error: not a method
  @Subscribe('order.cancelled')
  readonly property: number = 1;
}

export async function calls(bus: EventBus): Promise<unknown[]> {
  await bus.publish(new OrderPaid());
  await bus.publish(OrderPaid, { order: 1, isFree: true }, { id: 'a', key: 7 });
  await bus.publish('order.cancelled', { order: 1 }, { key: 'a' });
  // @ts-expect-error: a property is missing
  await bus.publish(OrderPaid, { isFree: true });
  // @ts-expect-error: a property is of another type
  await bus.publish(OrderPaid, { order: '1', isFree: true });
  // @ts-expect-error: no option
  await bus.publish(new OrderPaid(), { keys: 'a' });
  // @ts-expect-error: nothing is published
  await bus.publish('order.cancelled');
  // @ts-expect-error: nothing is published
  await bus.publish(OrderPaid);
  // @ts-expect-error: a literal has neither class nor topic
  await bus.publish({ order: 1 });
  // @ts-expect-error: an array is no event
  await bus.publish([new OrderPaid()]);
  // @ts-expect-error: nor is a function
  await bus.publish(() => new OrderPaid());
  // @ts-expect-error: nor is nothing
  await bus.publish(null);

  await bus.subscribe(OrderPaid, (event) => event.order.toFixed(), {
    group: 'a',
    onGap: ({ since }) => since,
  });
  // @ts-expect-error: the event is another
  await bus.subscribe(OrderPaid, (event: Other) => event.name, { group: 'a' });
  // @ts-expect-error: what comes by a pattern is unknown
  await bus.subscribe('order.*', (event: OrderPaid) => event.order);

  for await (const event of bus.stream(OrderPaid, { buffer: 10 })) return [event.order.toFixed()];
  // @ts-expect-error: what comes by a topic is unknown
  for await (const event of bus.stream('order.cancelled')) return [event.order];
  for await (const event of bus.stream<Base>('order.cancelled')) return [event.order.toFixed()];
  await bus.subscribe<Base>('order.cancelled', ({ order }) => order.toFixed());
  // @ts-expect-error: nobody checked a letter
  for await (const { data } of bus.deadLetters(OrderPaid).list()) return [data.order];
  return [];
}
