import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Redis } from 'ioredis';
import {
  EventBus,
  EventContext,
  EventInvalidError,
  EventTooLargeError,
  getRedisConnectionToken,
  getRedisToken,
  PubSubConfigurationError,
  PubSubModule,
  RedisModule,
  Subscribe,
} from 'rednest';
import { eventContext, passThroughEventBus, passThroughEvents, recordedEvents } from 'rednest/testing';
import { CacheFilled, CityUpdated, CityViewed } from './fixtures/handled.js';

@Injectable()
class Cities {
  handled = 0;

  constructor(private readonly bus: EventBus) {}

  async view(city: number): Promise<void> {
    await this.bus.publish(new CityViewed(city));
    await this.bus.publish(CityUpdated, { city }, { key: city });
    await this.bus.publish('city.renamed', { city });
  }

  @Subscribe(CityViewed, { group: 'ranking' })
  count(): void {
    this.handled++;
  }
}

describe('passThroughEvents', () => {
  it('records what is published, as instances, and gives it to nobody', async () => {
    const providers = [Cities, ...passThroughEvents()];
    const testing = await Test.createTestingModule({ providers }).compile();
    const [cities, bus] = [testing.get(Cities), testing.get(EventBus)];
    await cities.view(7);
    expect(recordedEvents(bus)).toMatchObject([
      { topic: 'city.viewed', event: new CityViewed(7) },
      { topic: 'city.updated', event: new CityUpdated(7), options: { key: 7 } },
      { topic: 'city.renamed', event: { city: 7 } },
    ]);
    expect(recordedEvents(bus)[1]!.event).toBeInstanceOf(CityUpdated);
    expect(cities.handled).toBe(0);
    expect(await bus.stats()).toMatchObject({ published: 3, groups: [] });
  });

  it('checks events and topics as the event bus does', async () => {
    const bus = passThroughEventBus();
    await expect(bus.publish(new CityViewed('x' as never))).rejects.toBeInstanceOf(EventInvalidError);
    await expect(bus.publish('no topic', 1)).rejects.toThrow(/topic/);
    expect(() => bus.deadLetters('no topic')).toThrow(/topic/);
    expect(recordedEvents(bus)).toEqual([]);
  });

  it("checks as that with the module's options would, and says when it is called", async () => {
    const topics = {
      'city.left': { delivery: 'durable', key: ({ city }: { city: number }) => city },
    } as const;
    const bus = passThroughEventBus({ topics, maxSize: '1kb', validator: { forbidUnknownValues: true } });
    const text = 'x'.repeat(2_000);
    await expect(bus.publish('city.renamed', text)).rejects.toBeInstanceOf(EventTooLargeError);
    await expect(bus.publish('city.left', { city: {} })).rejects.toBeInstanceOf(EventInvalidError);
    for (const options of [{ id: 'a b' }, { keys: 1 }])
      await expect(bus.publish(new CityViewed(1), options as never)).rejects.toBeInstanceOf(
        PubSubConfigurationError,
      );
    const grouped = bus.subscribe('city.renamed', () => 1, { group: 'a' });
    await expect(grouped).rejects.toBeInstanceOf(PubSubConfigurationError);
    await expect(bus.subscribe('city.left', () => 1)).rejects.toBeInstanceOf(PubSubConfigurationError);
    expect(() => bus.stream('city.renamed', { buffer: 0 })).toThrow(PubSubConfigurationError);
    expect(() => passThroughEventBus({ maxSize: 'x' as never })).toThrow(PubSubConfigurationError);
    expect(recordedEvents(bus)).toEqual([]);
    const publishing = [bus.publish('city.left', { city: 1 }, { id: 'a' }), bus.publish(new CacheFilled(1))];
    expect(recordedEvents(bus)).toMatchObject([{ id: 'a' }, { event: new CacheFilled(1) }]);
    expect((await Promise.all(publishing)).map(({ id }) => id)).toEqual(
      recordedEvents(bus).map(({ id }) => id),
    );
    expect(bus.counts.published).toBe(2);
  });

  it('has subscriptions and streams to which nothing comes', async () => {
    const bus = passThroughEventBus();
    const subscription = await bus.subscribe(CityUpdated, () => expect(true).toBe(false));
    const stream = bus.stream('city.*');
    await bus.publish(new CityUpdated(1));
    await subscription.close();
    await stream.return();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(await bus.deadLetters(CityUpdated).count()).toBe(0);
  });

  it('stands in for that of a module, whose connection need not be there', async () => {
    const bus = passThroughEventBus();
    const imports = [RedisModule.forRoot({ url: 'redis://127.0.0.1:1' }), PubSubModule.forRoot()];
    const testing = await Test.createTestingModule({ imports, providers: [Cities] })
      .overrideProvider(getRedisConnectionToken())
      .useValue({})
      .overrideProvider(getRedisToken())
      .useValue({})
      .overrideProvider(EventBus)
      .useValue(bus)
      .compile();
    await testing.init();
    await testing.get(Cities).view(1);
    expect(recordedEvents(bus)).toHaveLength(3);
    await testing.close();
  });
});

it('recordedEvents refuses another bus', () => {
  expect(() => recordedEvents({} as EventBus)).toThrow(TypeError);
});

describe('eventContext', () => {
  const redis = new Redis({ lazyConnect: true });
  const multi = redis.multi().incr('views');

  it('is that of a durable event without more, and records what is committed', async () => {
    const context = eventContext();
    expect(context).toBeInstanceOf(EventContext);
    expect(context).toMatchObject({
      topic: 'test',
      delivery: 'durable',
      group: 'test',
      attempt: 1,
      version: 1,
    });
    expect(await context.commit(multi)).toEqual([]);
    expect(context.committed).toEqual([multi]);
    expect(context.signal.aborted).toBe(false);
  });

  it('says what it is given', async () => {
    const controller = new AbortController();
    const publishedAt = new Date(5);
    const given = {
      id: 'a',
      topic: 'city.viewed',
      key: '7',
      attempt: 3,
      version: 2,
      isOwn: true,
      publishedAt,
    };
    const context = eventContext({ ...given, signal: controller.signal, commit: async () => undefined });
    expect(context).toMatchObject(given);
    expect(await context.commit(multi)).toBeUndefined();
    expect(context.committed).toEqual([multi]);
    controller.abort('stop');
    expect(context.signal.reason).toBe('stop');
  });

  it('has no commit where no group handles the event', async () => {
    const context = eventContext({ delivery: 'broadcast' });
    expect(context.group).toBeUndefined();
    await expect(context.commit(multi)).rejects.toBeInstanceOf(TypeError);
  });
});
