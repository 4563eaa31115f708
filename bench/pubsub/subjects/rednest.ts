import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { EventBus, PubSubModule, RedisModule, type Delivery, type SubscribeCallOptions } from 'rednest';
import type { View } from '../view.js';
import { CityViewed, DurableCityViewed } from './city-viewed.js';
import { group, topic, type Handle, type Place, type Subject } from './subject.js';

type Of = typeof topic | typeof CityViewed | typeof DurableCityViewed;

/** A topic with plain payloads. */
export const rednest = subjectOf('rednest', topic, 'broadcast');
/** An event of a class: checked when it is published, and when it arrives. */
export const rednestClass = subjectOf('rednest, an event of a class', CityViewed, 'broadcast');
export const rednestDurable = subjectOf('rednest', topic, 'durable');
export const rednestDurableClass = subjectOf('rednest, an event of a class', DurableCityViewed, 'durable');

function subjectOf(title: string, of: Of, delivery: Delivery): Subject {
  const options: SubscribeCallOptions = delivery === 'durable' ? { group } : {};
  return {
    title,
    openPublisher: async (place) => {
      const { bus, close } = await open(place, delivery);
      const publish = (view: View): Promise<unknown> =>
        typeof of === 'string' ? bus.publish(of, view) : bus.publish(of, view);
      return { publish, close };
    },
    subscribe: async (place, handlers) => {
      const { bus, close } = await open(place, delivery);
      for (const handle of handlers) await subscribe(bus, of, handle, options);
      return { end: close };
    },
  };
}

async function subscribe(
  bus: EventBus,
  of: Of,
  handle: Handle,
  options: SubscribeCallOptions,
): Promise<void> {
  if (typeof of === 'string') await bus.subscribe(of, (view) => handle(view as View), options);
  else await bus.subscribe(of, (view) => handle(view), options);
}

/** As an application gets it: by its modules. */
async function open(
  { url, namespace }: Place,
  delivery: Delivery,
): Promise<{ readonly bus: EventBus; readonly close: () => Promise<void> }> {
  class BenchModule {}
  const topics = { [topic]: { delivery } };
  const application = await NestFactory.createApplicationContext(
    {
      module: BenchModule,
      imports: [RedisModule.forRoot({ url }), PubSubModule.forRoot({ namespace, topics })],
    },
    { logger: ['error', 'warn'] },
  );
  return { bus: application.get(EventBus), close: () => application.close() };
}
