import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Global, Injectable, Module, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import {
  EventBus,
  EventBusFullError,
  EventInvalidError,
  EventUnavailableError,
  getRedisConnectionToken,
  RedisError,
  RedisPermissionError,
  Subscribe,
  type PublishedEvent,
  type RedisConnection,
} from 'rednest';
import { startRedis } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import type { LogRecorder } from '../support/log-recorder.js';
import { startApplication } from '../support/redis-application.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { CacheFilled, CityUpdated, CityViewed } from './fixtures/handled.js';

const applications = new BusApplications();

const told = (log: LogRecorder) => log.texts('PubSubModule').join('\n');

/** What the handlers of a test have been given. */
class Record {
  readonly entries: number[] = [];
  readonly cities: number[] = [];
  readonly viewed: number[] = [];
}

@Injectable()
class Handlers {
  constructor(private readonly record: Record) {}

  @Subscribe(CacheFilled)
  async filled({ entries }: CacheFilled): Promise<void> {
    this.record.entries.push(entries);
  }

  @Subscribe(CityUpdated)
  updated({ city }: CityUpdated): void {
    this.record.cities.push(city);
  }

  @Subscribe(CityViewed, { group: 'ranking' })
  viewed({ city }: CityViewed): void {
    this.record.viewed.push(city);
  }
}

describe('while the application starts', () => {
  it('events wait for its handlers, in order, and publish resolves', async () => {
    const record = new Record();
    const seenAtBootstrap: number[] = [];
    @Injectable()
    class Early implements OnModuleInit, OnApplicationBootstrap {
      constructor(private readonly bus: EventBus) {}

      async onModuleInit(): Promise<void> {
        for (let entries = 0; entries < 500; entries++) await this.bus.publish(new CacheFilled(entries));
        for (let city = 0; city < 500; city++) await this.bus.publish(new CityUpdated(city));
        await this.bus.publish(new CityViewed(1));
      }

      async onApplicationBootstrap(): Promise<void> {
        await this.bus.publish(new CacheFilled(500));
        seenAtBootstrap.push(...record.entries, ...record.cities, ...record.viewed);
      }
    }
    const { bus } = await applications.start([Early, Handlers, { provide: Record, useValue: record }]);
    const last = bus.publish(new CacheFilled(501));
    await eventually(() => expect(record.cities).toHaveLength(500), 10_000);
    await eventually(() => expect(record.viewed).toEqual([1]), 10_000);
    await last;
    expect(seenAtBootstrap).toEqual([]);
    expect(record.entries).toEqual(Array.from({ length: 502 }, (_, entries) => entries));
    expect(record.cities).toEqual(Array.from({ length: 500 }, (_, city) => city));
    await eventually(async () => expect((await bus.stats()).published).toBe(1_003));
  });

  it('durable events are written at once', async () => {
    let length: unknown;
    @Injectable()
    class Early implements OnModuleInit {
      constructor(private readonly bus: EventBus) {}

      async onModuleInit(): Promise<void> {
        await this.bus.publish(new CityViewed(1));
        const admin = await applications.server.admin();
        const streams = await admin.keys(`${applications.namespace}:{city.viewed}:[0-9]`);
        length = await admin.xlen(streams[0]!);
      }
    }
    await applications.start([Early]);
    expect(length).toBe(1);
  });

  it('what is wrong is refused at once, and so is too much', async () => {
    const outcomes: unknown[] = [];
    const handled = { count: 0 };
    @Injectable()
    class Counting {
      @Subscribe(CacheFilled)
      filled(): void {
        handled.count++;
      }
    }
    @Injectable()
    class Early implements OnModuleInit {
      constructor(private readonly bus: EventBus) {}

      async onModuleInit(): Promise<void> {
        const invalid: unknown = await this.bus.publish(CacheFilled, { entries: 'x' as never }).catch(String);
        outcomes.push(invalid);
        const publishing = Array.from({ length: 10_001 }, () => this.bus.publish(new CacheFilled(1)));
        const settled = await Promise.allSettled(publishing);
        outcomes.push(settled.filter(({ status }) => status === 'fulfilled').length, settled.at(-1));
      }
    }
    const { bus } = await applications.start([Early, Counting]);
    expect(outcomes).toEqual([
      expect.stringMatching(EventInvalidError.name),
      10_000,
      { status: 'rejected', reason: expect.any(EventBusFullError) },
    ]);
    await eventually(() => expect(handled.count).toBe(10_000));
    expect((await bus.stats()).rejected).toBe(2);
    await bus.publish(new CacheFilled(1));
    expect(handled.count).toBe(10_001);
  });

  it('what cannot be sent then is logged by topic and id, and counted', async () => {
    let published: PublishedEvent | undefined;
    await using server = await startRedis();
    @Injectable()
    class Early implements OnModuleInit, OnApplicationBootstrap {
      constructor(private readonly bus: EventBus) {}

      async onModuleInit(): Promise<void> {
        published = await this.bus.publish(new CityUpdated(1));
      }

      onApplicationBootstrap(): Promise<void> {
        return server.kill();
      }
    }
    const redis = applications.redis({ ...server.options });
    const pubsub = applications.pubsub({ publishTimeout: '300ms' });
    const { bus, log } = await applications.startWith([redis, pubsub], [Early]);
    await eventually(() =>
      expect(told(log)).toMatch(`Event 'city.updated' ${published!.id}, published before`),
    );
    expect(bus.counts).toMatchObject({ published: 0, rejected: 1 });
    await expect(bus.stats()).rejects.toBeInstanceOf(RedisError);
  });

  it('a subscription that it makes itself stands when the promise says so', async () => {
    const seen: number[] = [];
    @Injectable()
    class Early implements OnModuleInit {
      constructor(private readonly bus: EventBus) {}

      async onModuleInit(): Promise<void> {
        const subscription = await this.bus.subscribe(CityUpdated, ({ city }) => seen.push(city));
        expect(subscription).toMatchObject({ topic: 'city.updated', name: expect.any(String) });
      }
    }
    const { bus } = await applications.start([Early]);
    await bus.publish(new CityUpdated(1));
    await eventually(() => expect(seen).toEqual([1]));
  });

  it('handlers come after the last hook of all modules, global and not', async () => {
    const order: string[] = [];
    const hook = (name: string) => {
      @Injectable()
      class Hook implements OnApplicationBootstrap {
        constructor(private readonly bus: EventBus) {}

        async onApplicationBootstrap(): Promise<void> {
          await this.bus.publish(new CacheFilled(order.length));
          order.push(name);
        }
      }
      return Hook;
    };
    @Injectable()
    class Last {
      @Subscribe(CacheFilled)
      handle({ entries }: CacheFilled): void {
        order.push(`event ${entries}`);
      }
    }
    @Global()
    @Module({ providers: [hook('global')] })
    class GlobalModule {}
    @Module({ providers: [hook('inner')] })
    class Inner {}
    @Module({ imports: [Inner], providers: [hook('outer'), Last] })
    class Outer {}
    await applications.start([hook('root')], { imports: [Outer, GlobalModule] });
    expect(order.slice(0, 4).toSorted()).toEqual(['global', 'inner', 'outer', 'root']);
    expect(order.slice(4)).toEqual(['event 0', 'event 1', 'event 2', 'event 3']);
  });
});

describe('where a subscription cannot be made', () => {
  it('the start fails with the cause, and nothing is left open', async () => {
    await using server = await startRedis({ acl: ['app on >secret ~* resetchannels +@all'] });
    let connection: RedisConnection | undefined;
    const witness = {
      provide: 'witness',
      inject: [getRedisConnectionToken()],
      useFactory: (given: RedisConnection) => (connection = given),
    };
    const modules = [applications.redis({ ...server.options }), applications.pubsub()];
    const starting = startApplication(modules, [Handlers, Record, witness]);
    await expect(starting).rejects.toBeInstanceOf(RedisPermissionError);
    expect(connection?.state).toBe('closed');
  });

  it("with startup: 'optional' and Redis away, the application starts, and they are made when it is there", async () => {
    await using server = await startRedis();
    await server.kill();
    const record = new Record();
    const redis = applications.redis({ ...server.options, startup: 'optional' });
    const { bus, log } = await applications.startWith(
      [redis, applications.pubsub({ publishTimeout: '300ms', shutdownTimeout: '500ms' })],
      [Handlers, { provide: Record, useValue: record }],
    );
    expect(told(log).match(/3 subscriptions are made as soon as it is there/g)).toHaveLength(1);
    await expect(bus.publish(new CityUpdated(1))).rejects.toBeInstanceOf(EventUnavailableError);
    await server.restart();
    await eventually(() => expect(told(log)).toMatch('All subscriptions stand now'), 15_000);
    await eventually(() => bus.publish(new CityUpdated(2)));
    await bus.publish(new CityViewed(3));
    await eventually(() => expect(record.cities).toContain(2), 10_000);
    await eventually(() => expect(record.viewed).toEqual([3]), 10_000);
    await bus.publish(new CacheFilled(4));
    expect(record.entries).toEqual([4]);
  });
});
