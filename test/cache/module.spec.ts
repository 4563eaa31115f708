import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Injectable,
  Module,
  type DynamicModule,
  type INestApplicationContext,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  CacheConfigurationError,
  CacheModule,
  CacheService,
  Caches,
  getCacheToken,
  getRedisConnectionToken,
  getRedisToken,
  InjectCache,
  RedisModule,
  type CacheRootOptions,
} from 'rednest';
import { type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
import { usersByClient } from '../support/server-view.js';

const opened = new Opened();
const applications: INestApplicationContext[] = [];

async function start(...parameters: Parameters<typeof startApplication>) {
  const started = await startApplication(...parameters);
  applications.push(started.app);
  return started;
}

afterEach(async () => {
  await Promise.all(applications.splice(0).map((app) => app.close()));
});

const root = { namespace: 'app', ttl: '1m' } as const;

function redis(server: RedisServer, name?: string): DynamicModule {
  return RedisModule.forRoot({ ...server.options, ...(name !== undefined && { name }) });
}

async function keys(server: RedisServer): Promise<string[]> {
  return (await (await server.admin()).keys('*:e:*')).toSorted();
}

@Injectable()
class Cities {
  constructor(
    readonly cache: CacheService,
    @InjectCache() readonly again: CacheService,
  ) {}
}

@Injectable()
class Pages {
  constructor(@InjectCache('pages') readonly cache: CacheService) {}
}

describe('CacheModule.forRoot', () => {
  it('gives the default cache by its class and by @InjectCache, in all modules', async () => {
    const server = await opened.server({});
    @Module({ providers: [Cities] })
    class Feature {}
    const { app } = await start([redis(server), CacheModule.forRoot(root), Feature]);
    const { cache, again } = app.get(Cities, { strict: false });
    expect(cache).toBeInstanceOf(CacheService);
    expect(again).toBe(cache);
    expect(cache.name).toBe('default');
    await cache.set('city:1', 'Berlin');
    expect(await cache.get('city:1')).toBe('Berlin');
    expect(await keys(server)).toEqual(['app:cache:e:default:city:1']);
  });

  it('uses the connection that is named', async () => {
    const [first, second] = [await opened.server({}), await opened.server({})];
    const cacheModule = CacheModule.forRoot({ ...root, connection: 'second' });
    const { app } = await start([redis(first), redis(second, 'second'), cacheModule]);
    await app.get(CacheService).set('a', 1);
    expect(await keys(first)).toEqual([]);
    expect(await keys(second)).toHaveLength(1);
  });

  it('refuses a connection that is named and does not exist', async () => {
    const server = await opened.server({});
    const starting = startApplication([
      redis(server),
      CacheModule.forRoot({ ...root, connection: 'caches' }),
    ]);
    await expect(starting).rejects.toThrow(CacheConfigurationError);
    await expect(starting).rejects.toThrow(/connection: the Redis connection 'caches' cannot be found/);
  });

  it('caches in the process alone where there is no connection, and says so once', async () => {
    const { app, log } = await start([CacheModule.forRoot(root), CacheModule.forFeature({ name: 'pages' })]);
    const cache = app.get(CacheService);
    await cache.set('a', { b: 1 });
    expect(await cache.get('a')).toEqual({ b: 1 });
    expect(log.texts('CacheModule')).toEqual(['No Redis connection: values are cached in this process only']);
  });

  it('does not take a connection that it cannot see for none', async () => {
    const server = await opened.server({});
    const hidden = RedisModule.forRoot({ ...server.options, isGlobal: false });
    const starting = startApplication([hidden, CacheModule.forRoot(root)]);
    await expect(starting).rejects.toThrow(/the Redis connection 'default' is not visible here.*imports/);
    await eventually(async () => Object.keys(await usersByClient(server)).length === 0);
    const { app } = await start([CacheModule.forRoot({ ...root, imports: [hidden] })]);
    await app.get(CacheService).set('a', 1);
    expect(await keys(server)).toHaveLength(1);
  });

  it('keeps the default cache to its importers with isGlobal: false', async () => {
    const cacheModule = CacheModule.forRoot({ ...root, isGlobal: false });
    @Module({ imports: [cacheModule], providers: [Cities] })
    class Inside {}
    @Module({ providers: [Cities] })
    class Outside {}
    const { app } = await start([Inside]);
    expect(app.get(Cities, { strict: false }).cache).toBeInstanceOf(CacheService);
    await expect(startApplication([Inside, Outside])).rejects.toThrow(/CacheService/);
  });

  it('lists every problem at once', async () => {
    const options = { namespace: 'a b', ttl: '10 minutes', local: { maxEntries: -1 } } as never;
    const starting = startApplication([CacheModule.forRoot(options)]);
    const error: unknown = await starting.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CacheConfigurationError);
    expect((error as CacheConfigurationError).problems.map(({ option }) => option).toSorted()).toEqual([
      'local.maxEntries',
      'namespace',
      'ttl',
    ]);
  });

  it('refuses to be imported twice', async () => {
    const starting = startApplication([CacheModule.forRoot(root), CacheModule.forRoot(root)]);
    await expect(starting).rejects.toThrow(/CacheModule.forRoot: is imported twice/);
  });

  it('is ready in onModuleInit and still there in onApplicationShutdown', async () => {
    const server = await opened.server({});
    const seen: unknown[] = [];
    @Injectable()
    class Witness implements OnModuleInit, OnApplicationShutdown {
      constructor(private readonly cache: CacheService) {}
      async onModuleInit() {
        await this.cache.set('a', 1);
        seen.push(await keys(server));
      }
      async onApplicationShutdown() {
        await this.cache.set('b', 2);
        seen.push(await this.cache.get('b'), await keys(server));
      }
    }
    @Module({ providers: [Witness] })
    class Feature {}
    // On a busy machine Redis is not taken for slow.
    const caches = CacheModule.forRoot({ ...root, budget: '5s' });
    const { app } = await startApplication([Feature, caches, redis(server)]);
    await app.close();
    const [a, b] = ['app:cache:e:default:a', 'app:cache:e:default:b'];
    expect(seen).toEqual([[a], 2, [a, b]]);
  });
});

describe('CacheModule.forRootAsync', () => {
  @Injectable()
  class Options {
    createCacheOptions(): CacheRootOptions {
      return { namespace: 'app', ttl: '7m' };
    }
  }
  @Module({ providers: [Options], exports: [Options] })
  class OptionsModule {}

  const freshFor = async (app: INestApplicationContext) =>
    Math.round((await app.get(CacheService).getOrSetEntry('a', () => 1)).freshFor / 1_000);

  it('takes useFactory with inject and extraProviders, and a connection beside them', async () => {
    const server = await opened.server({});
    const { app } = await start([
      redis(server, 'caches'),
      CacheModule.forRootAsync({
        connection: 'caches',
        extraProviders: [{ provide: 'ttl', useValue: '7m' }],
        inject: ['ttl'],
        useFactory: async (ttl: '7m') => ({ namespace: 'app', ttl }),
      }),
    ]);
    expect(await freshFor(app)).toBe(420);
    expect(await keys(server)).toHaveLength(1);
  });

  it.each([
    ['useClass', { useClass: Options }],
    ['useExisting', { imports: [OptionsModule], useExisting: Options }],
  ])('takes %s', async (_, options) => {
    const { app } = await start([CacheModule.forRootAsync(options)]);
    expect(await freshFor(app)).toBe(420);
  });

  it('keeps the default cache to its importers with isGlobal: false', async () => {
    const cacheModule = CacheModule.forRootAsync({ isGlobal: false, useFactory: () => root });
    @Module({ providers: [Cities] })
    class Outside {}
    await expect(startApplication([cacheModule, Outside])).rejects.toThrow(/CacheService/);
  });
});

describe('CacheModule.forFeature', () => {
  it('gives named caches with options of their own, which do not see each other', async () => {
    const server = await opened.server({});
    const { app } = await start([
      redis(server),
      CacheModule.forRoot(root),
      CacheModule.forFeature([{ name: 'pages', ttl: '1h' }, { name: 'Pages' }]),
    ]);
    const [pages, others] = [app.get(getCacheToken('pages')), app.get(getCacheToken('Pages'))];
    expect((await pages.getOrSetEntry('a', () => 'page')).freshFor).toBeGreaterThan(3_500_000);
    const { value, freshFor } = await others.getOrSetEntry('a', () => 'other page');
    expect(value).toBe('other page');
    expect(freshFor).toBeGreaterThan(50_000);
    expect(freshFor).toBeLessThanOrEqual(60_000);
    expect(await keys(server)).toEqual(['app:cache:e:Pages:a', 'app:cache:e:pages:a']);
  });

  it('is for its importers, wherever the root is, and one object for several', async () => {
    const pages = CacheModule.forFeature({ name: 'pages' });
    @Module({ imports: [pages], providers: [Pages] })
    class First {}
    @Module({ imports: [pages], providers: [{ provide: 'second', useClass: Pages }] })
    class Second {}
    const rootModule = CacheModule.forRoot({ ...root, isGlobal: false });
    const { app } = await start([First, Second, rootModule]);
    const first = app.get(Pages, { strict: false });
    expect(first.cache.name).toBe('pages');
    expect(app.get<Pages>('second', { strict: false }).cache).toBe(first.cache);
    expect([...app.get(Caches, { strict: false })].map(({ name }) => name)).toEqual(['default', 'pages']);
    @Module({ providers: [Pages] })
    class Outside {}
    await expect(startApplication([First, Outside, rootModule])).rejects.toThrow(/rednest:cache:pages/);
  });

  it('takes options from other providers', async () => {
    const { app } = await start([
      CacheModule.forRoot(root),
      CacheModule.forFeatureAsync({
        name: 'pages',
        extraProviders: [{ provide: 'ttl', useValue: '1h' }],
        inject: ['ttl'],
        useFactory: (ttl: '1h') => ({ ttl }),
      }),
    ]);
    const pages = app.get<CacheService>(getCacheToken('pages'));
    expect((await pages.getOrSetEntry('a', () => 1)).freshFor).toBeGreaterThan(3_500_000);
  });

  it('refuses two caches of one name', async () => {
    const twice = [CacheModule.forFeature({ name: 'pages' }), CacheModule.forFeature({ name: 'pages' })];
    const starting = startApplication([CacheModule.forRoot(root), ...twice]);
    await expect(starting).rejects.toThrow(CacheConfigurationError);
    await expect(starting).rejects.toThrow("two caches are called 'pages'");
    const another = CacheModule.forFeature({ name: 'default' });
    await expect(startApplication([CacheModule.forRoot(root), another])).rejects.toThrow(
      CacheConfigurationError,
    );
  });

  it.each([undefined, '', 'a:b', 'a*', 5])('refuses %p as a name', (name) => {
    expect(() => CacheModule.forFeature({ name } as never)).toThrow(/name: .* is not the name of a cache/);
  });

  it('tells which cache is configured wrongly', async () => {
    const wrong = CacheModule.forFeature({ name: 'pages', ttl: '10 minutes', namespace: 'b' } as never);
    const starting = startApplication([CacheModule.forRoot(root), wrong]);
    await expect(starting).rejects.toThrow(
      /^Cache 'pages' is not configured correctly:\n {2}- namespace: .*\n {2}- ttl: /,
    );
  });

  it('needs CacheModule.forRoot', async () => {
    const starting = startApplication([CacheModule.forFeature({ name: 'pages' })]);
    await expect(starting).rejects.toThrow(/Caches/);
  });
});

describe('a unit test that overrides', () => {
  const modules = { imports: [RedisModule.forRoot({ host: 'no.such.host' }), CacheModule.forRoot(root)] };

  it('the connection with null caches in the process alone, and opens nothing', async () => {
    const testing = await Test.createTestingModule(modules)
      .overrideProvider(getRedisConnectionToken())
      .useValue(null)
      .overrideProvider(getRedisToken())
      .useValue({})
      .compile();
    const app = await testing.init();
    const cache = app.get(CacheService);
    expect(await cache.getOrSet('a', () => 1)).toBe(1);
    expect(await cache.get('a')).toBe(1);
    await app.close();
  });

  it('it with something else is told what to do instead', async () => {
    const testing = Test.createTestingModule(modules)
      .overrideProvider(getRedisConnectionToken())
      .useValue({ client: {} });
    await expect(testing.compile()).rejects.toThrow(/an object is not a RedisConnection; .* with null/);
  });
});

describe('two applications in one process', () => {
  it('do not see each other', async () => {
    const server = await opened.server({});
    const one = await start([redis(server), CacheModule.forRoot(root)]);
    const two = await start([redis(server), CacheModule.forRoot({ ...root, namespace: 'app2' })]);
    const [first, second] = [one.app.get(CacheService), two.app.get(CacheService)];
    expect(first).not.toBe(second);
    await first.set('a', 1);
    expect(await second.get('a')).toBeUndefined();
    await one.app.close();
    await second.set('a', 2);
    expect(await second.get('a')).toBe(2);
  });
});
