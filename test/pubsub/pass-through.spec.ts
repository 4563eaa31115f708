import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  EventBus,
  EventInvalidError,
  getRedisConnectionToken,
  getRedisToken,
  PubSubModule,
  RedisModule,
  Subscribe,
} from 'rednest';
import { passThroughEventBus, passThroughEvents, recordedEvents } from 'rednest/testing';
import { CityUpdated, CityViewed } from './fixtures/handled.js';

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
