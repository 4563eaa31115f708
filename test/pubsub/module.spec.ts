import 'reflect-metadata';
import { describe, expect, it, jest } from '@jest/globals';
import { Injectable, Module, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  EventBus,
  getRedisConnectionToken,
  getRedisToken,
  PubSubConfigurationError,
  PubSubModule,
  RedisModule,
  Subscribe,
  type PubSubRootOptions,
} from 'rednest';
import { eventually } from '../support/eventually.js';
import { startApplication } from '../support/redis-application.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { CacheFilled, CityUpdated, CityViewed } from './fixtures/handled.js';

const applications = new BusApplications();

async function refused(starting: Promise<unknown>): Promise<PubSubConfigurationError> {
  const error: unknown = await starting.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PubSubConfigurationError);
  return error as PubSubConfigurationError;
}

/** Streams of durable events that begin so. */
async function streams(namespace: string): Promise<string[]> {
  return (await applications.server.admin()).keys(`${namespace}:{city.viewed}:[0-9]*`);
}

@Injectable()
class Cities {
  constructor(readonly bus: EventBus) {}
}

describe('PubSubModule.forRoot', () => {
  it('works without options, in all modules', async () => {
    @Module({ providers: [Cities] })
    class Feature {}
    const { app, bus } = await applications.startWith([
      applications.redis(),
      PubSubModule.forRoot(),
      Feature,
    ]);
    expect(app.get(Cities, { strict: false }).bus).toBe(bus);
    await bus.publish(new CityViewed(1));
    expect(await streams('events')).toHaveLength(1);
  });

  it('uses the connection that is named, also where that is not global', async () => {
    const hidden = RedisModule.forRoot({ ...applications.server.options, name: 'events', isGlobal: false });
    const { namespace } = applications;
    const error = await refused(
      startApplication([hidden, PubSubModule.forRoot({ namespace, connection: 'events' })]),
    );
    expect(error.message).toMatch(/imports/);
    const { bus } = await applications.startWith([
      PubSubModule.forRoot({ namespace, connection: 'events', imports: [hidden] }),
    ]);
    await bus.publish(new CityViewed(1));
    expect(await streams(namespace)).toHaveLength(1);
  });

  it('tells of a connection that does not exist', async () => {
    const error = await refused(
      startApplication([applications.redis(), PubSubModule.forRoot({ connection: 'events' })]),
    );
    expect(error.message).toMatch("connection: the Redis connection 'events' cannot be found");
  });

  it('keeps the bus to its importers with isGlobal: false', async () => {
    const pubsub = PubSubModule.forRoot({ isGlobal: false });
    @Module({ imports: [pubsub], providers: [Cities] })
    class Inside {}
    @Module({ providers: [Cities] })
    class Outside {}
    const { app } = await applications.startWith([applications.redis(), Inside]);
    expect(app.get(Cities, { strict: false }).bus).toBeInstanceOf(EventBus);
    const starting = startApplication([applications.redis(), Inside, Outside]);
    await expect(starting).rejects.toThrow(/EventBus/);
  });

  it('refuses to be imported twice, and is one, imported in several places', async () => {
    const pubsub = applications.pubsub();
    @Module({ imports: [pubsub] })
    class First {}
    @Module({ imports: [pubsub] })
    class Second {}
    await applications.startWith([applications.redis(), First, Second]);
    const twice = [applications.pubsub(), applications.pubsub({ publishTimeout: '1s' })];
    const error = await refused(startApplication([applications.redis(), ...twice]));
    expect(error.message).toMatch(/PubSubModule.forRoot: is imported twice/);
  });

  it('takes undefined for left out, beside the options, too', async () => {
    const nothing = { connection: undefined, isGlobal: undefined } as object;
    @Module({ providers: [Cities] })
    class Feature {}
    const { app } = await applications.startWith([
      applications.redis(),
      PubSubModule.forRoot(nothing),
      Feature,
    ]);
    expect(app.get(Cities, { strict: false }).bus).toBeInstanceOf(EventBus);
  });

  it('lists every problem at once', async () => {
    const options = {
      namespace: 'a b',
      lease: 'long',
      deadLetters: 0,
      topic: {},
    } as unknown as PubSubRootOptions;
    const error = await refused(startApplication([applications.redis(), PubSubModule.forRoot(options)]));
    const wrong = error.problems.map(({ option }) => option).toSorted();
    expect(wrong).toEqual(Object.keys(options).toSorted());
  });
});

describe('PubSubModule.forRootAsync', () => {
  @Injectable()
  class Options {
    createPubSubOptions(): PubSubRootOptions {
      return { topics: { renamed: { delivery: 'local' } } };
    }
  }
  @Module({ providers: [Options], exports: [Options] })
  class OptionsModule {}

  it.each([
    ['useClass', { useClass: Options }],
    ['useExisting', { imports: [OptionsModule], useExisting: Options }],
    [
      'useFactory, and a connection and extraProviders beside it',
      {
        connection: 'events',
        extraProviders: [Options],
        inject: [Options],
        useFactory: (options: Options) => options.createPubSubOptions(),
      },
    ],
  ])('takes %s', async (_, options) => {
    const name = 'connection' in options ? 'events' : 'default';
    const modules = [applications.redis({ name }), PubSubModule.forRootAsync(options)];
    const { bus } = await applications.startWith(modules);
    const seen: unknown[] = [];
    await bus.subscribe('renamed', (event) => seen.push(event));
    await bus.publish('renamed', { city: 1 });
    expect(seen).toEqual([{ city: 1 }]);
  });

  it('tells of wrong options, and of what the factory throws', async () => {
    const wrong = PubSubModule.forRootAsync({ useFactory: () => ({ publishTimeout: 'x' }) as never });
    expect((await refused(startApplication([applications.redis(), wrong]))).message).toMatch(
      /publishTimeout: 'x'/,
    );
    const failing = PubSubModule.forRootAsync({ useFactory: () => Promise.reject(new Error('No vault')) });
    await expect(startApplication([applications.redis(), failing])).rejects.toThrow('No vault');
  });
});

describe('a bus that a test puts in its place', () => {
  it('needs no more than what is called, and no Redis; no events come', async () => {
    let handled = 0;
    @Injectable()
    class Handlers {
      constructor(private readonly bus: EventBus) {}

      @Subscribe(CityUpdated)
      async updated(): Promise<void> {
        handled++;
        await this.bus.publish(new CityViewed(1));
      }
    }
    const publish = jest.fn<() => Promise<{ id: string }>>().mockResolvedValue({ id: 'a' });
    const imports = [RedisModule.forRoot({ url: 'redis://127.0.0.1:1' }), PubSubModule.forRoot()];
    const testing = await Test.createTestingModule({ imports, providers: [Handlers] })
      .overrideProvider(getRedisConnectionToken())
      .useValue({})
      .overrideProvider(getRedisToken())
      .useValue({})
      .overrideProvider(EventBus)
      .useValue({ publish })
      .compile();
    await testing.init();
    await testing.get(Handlers).updated();
    expect([publish.mock.calls, handled]).toEqual([[[new CityViewed(1)]], 1]);
    await testing.close();
  });
});

describe('two applications in one process', () => {
  const seen = { updated: 0, filled: 0, viewed: 0 };

  @Injectable()
  class Handlers {
    @Subscribe(CityUpdated)
    updated(): void {
      seen.updated++;
    }

    @Subscribe(CacheFilled)
    filled(): void {
      seen.filled++;
    }

    @Subscribe(CityViewed, { group: 'ranking' })
    viewed(): void {
      seen.viewed++;
    }
  }

  it('are two replicas, each with a name of its own', async () => {
    const [one, two] = [await applications.start([Handlers]), await applications.start([Handlers])];
    await one.bus.publish(new CacheFilled(1));
    await one.bus.publish(new CityUpdated(1));
    for (let city = 0; city < 20; city++) await two.bus.publish(new CityViewed(city));
    await eventually(() => expect(seen).toEqual({ filled: 1, updated: 2, viewed: 20 }), 10_000);
    const { groups } = await one.bus.stats();
    expect(groups).toMatchObject([{ topic: 'city.viewed', group: 'ranking', consumers: 2 }]);
    const ids = await Promise.all([one, two].map(({ bus }) => bus.publish(new CityUpdated(2))));
    expect(new Set(ids.map(({ id }) => id)).size).toBe(2);
  });
});

it('leaves an application alone that has neither handlers nor events', async () => {
  const { app } = await applications.start();
  expect(app satisfies INestApplicationContext).toBeDefined();
  expect(await (await applications.server.admin()).keys(`${applications.namespace}*`)).toEqual([]);
});
