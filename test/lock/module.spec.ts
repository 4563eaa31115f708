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
import { ModulesContainer } from '@nestjs/core';
import {
  LockConfigurationError,
  LockExceptionFilter,
  LockModule,
  LockService,
  RedisModule,
  type LockRootOptions,
  type RedisModuleOptions,
} from 'rednest';
import { type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';

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

function redis(server: RedisServer, options: Partial<RedisModuleOptions> = {}): DynamicModule {
  return RedisModule.forRoot({ ...server.options, ...options } as RedisModuleOptions);
}

async function keys(server: RedisServer): Promise<string[]> {
  return (await (await server.admin()).keys('*')).toSorted();
}

async function refused(starting: Promise<unknown>): Promise<LockConfigurationError> {
  const error: unknown = await starting.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LockConfigurationError);
  return error as LockConfigurationError;
}

@Injectable()
class Bookings {
  constructor(readonly locks: LockService) {}
}

describe('LockModule.forRoot', () => {
  it('works without options, in all modules', async () => {
    const server = await opened.server({});
    @Module({ providers: [Bookings] })
    class Feature {}
    const { app } = await start([redis(server), LockModule.forRoot(), Feature]);
    const { locks } = app.get(Bookings, { strict: false });
    expect(locks).toBeInstanceOf(LockService);
    expect(app.get(LockService)).toBe(locks);
    await using lease = await locks.acquire('tour:1');
    expect(lease.remaining).toBeGreaterThan(9_000);
    expect(await keys(server)).toEqual(['lock:{tour%3A1}']);
  });

  it('takes options for all acquisitions', async () => {
    const server = await opened.server({});
    const options = { namespace: 'app:lock', ttl: '3s', wait: 0, holder: 'replica-1' } as const;
    const { app } = await start([redis(server), LockModule.forRoot(options)]);
    const locks = app.get(LockService);
    await using lease = await locks.acquire('a');
    expect(lease.remaining).toBeLessThanOrEqual(3_000);
    await expect(locks.acquire('a')).rejects.toMatchObject({ code: 'LOCK_TIMEOUT', waited: 0 });
    expect(await keys(server)).toEqual(['app:lock:{a}']);
    const holders = await (await server.admin()).hkeys('app:lock:{a}');
    expect(holders).toContainEqual(expect.stringMatching(/^replica-1:[\da-f]{8}\./));
  });

  it('uses the connection that is named', async () => {
    const [first, second] = [await opened.server({}), await opened.server({})];
    const { app } = await start([
      redis(first),
      redis(second, { name: 'second' }),
      LockModule.forRoot({ connection: 'second' }),
    ]);
    await app.get(LockService).acquire('a');
    expect(await keys(first)).toEqual([]);
    expect(await keys(second)).toHaveLength(1);
  });

  it.each([undefined, 'locks'])('tells of a connection that does not exist (%p)', async (name) => {
    const server = await opened.server({});
    const other = redis(server, { name: 'other' });
    const lockModule = LockModule.forRoot(name === undefined ? {} : { connection: name });
    const error = await refused(startApplication([other, lockModule]));
    const called = name ?? 'default';
    expect(error.message).toMatch(`connection: the Redis connection '${called}' cannot be found`);
    expect(error.message).toMatch(`RedisModule.forRoot({ name: '${called}' })`);
  });

  it('sees a connection that is not global by its imports', async () => {
    const server = await opened.server({});
    const hidden = RedisModule.forRoot({ ...server.options, isGlobal: false });
    const error = await refused(startApplication([hidden, LockModule.forRoot()]));
    expect(error.message).toMatch(/imports/);
    const { app } = await start([LockModule.forRoot({ imports: [hidden] })]);
    await app.get(LockService).acquire('a');
    expect(await keys(server)).toHaveLength(1);
  });

  it('keeps the locks to its importers with isGlobal: false', async () => {
    const server = await opened.server({});
    const lockModule = LockModule.forRoot({ isGlobal: false });
    @Module({ imports: [lockModule], providers: [Bookings] })
    class Inside {}
    @Module({ providers: [Bookings] })
    class Outside {}
    const { app } = await start([redis(server), Inside]);
    expect(app.get(Bookings, { strict: false }).locks).toBeInstanceOf(LockService);
    await expect(startApplication([redis(server), Inside, Outside])).rejects.toThrow(/LockService/);
  });

  it('takes undefined for left out, beside the options, too', async () => {
    const server = await opened.server({});
    const nothing = { connection: undefined, isGlobal: undefined, exceptionFilter: undefined } as object;
    @Module({ providers: [Bookings] })
    class Feature {}
    for (const lockModule of [
      LockModule.forRoot(nothing),
      LockModule.forRootAsync({
        useFactory: () => ({}),
        ...nothing,
      }),
    ]) {
      const { app } = await start([redis(server), lockModule, Feature]);
      expect(app.get(Bookings, { strict: false }).locks).toBeInstanceOf(LockService);
      const filters = [...app.get(ModulesContainer).values()].flatMap(({ injectables, providers }) =>
        [...providers.values(), ...injectables.values()].filter(
          ({ metatype }) => metatype === LockExceptionFilter,
        ),
      );
      expect(filters).toHaveLength(1);
    }
  });

  it('is one, imported in several places', async () => {
    const server = await opened.server({});
    const lockModule = LockModule.forRoot({ isGlobal: false });
    @Module({ imports: [lockModule], providers: [Bookings] })
    class First {}
    @Module({ imports: [lockModule], providers: [{ provide: 'second', useClass: Bookings }] })
    class Second {}
    const { app } = await start([redis(server), First, Second]);
    const { locks } = app.get(Bookings, { strict: false });
    expect(app.get<Bookings>('second', { strict: false }).locks).toBe(locks);
  });

  it('refuses to be imported twice', async () => {
    const server = await opened.server({});
    const twice = [LockModule.forRoot(), LockModule.forRoot({ namespace: 'other' })];
    const error = await refused(startApplication([redis(server), ...twice]));
    expect(error.message).toMatch(/LockModule.forRoot: is imported twice/);
  });

  it('lists every problem at once', async () => {
    const server = await opened.server({});
    const options = {
      namespace: 'a b',
      ttl: '10 minutes',
      wait: -1,
      renew: 'yes',
      timeout: 0,
      onShutdown: 'wait',
      holder: 'a b',
      reentrant: true,
      tll: 1,
    };
    const error = await refused(startApplication([redis(server), LockModule.forRoot(options as never)]));
    const { problems } = error;
    expect(problems.map(({ option }) => option).toSorted()).toEqual(Object.keys(options).toSorted());
    expect(error.message).toMatch(/tll: is not an option of rednest; did you mean ttl\?/);
    expect(error.message).toMatch(/onShutdown: 'wait' is not 'release' or 'expire'/);
  });

  it('is ready in onModuleInit and still there in onApplicationShutdown', async () => {
    const server = await opened.server({});
    const seen: unknown[] = [];
    @Injectable()
    class Witness implements OnModuleInit, OnApplicationShutdown {
      constructor(private readonly locks: LockService) {}
      async onModuleInit() {
        seen.push(await this.locks.using('a', () => 'init'));
      }
      async onApplicationShutdown() {
        seen.push(await this.locks.using('b', () => 'shutdown'));
      }
    }
    @Module({ providers: [Witness] })
    class Feature {}
    const { app } = await startApplication([Feature, LockModule.forRoot(), redis(server)]);
    await app.close();
    expect(seen).toEqual(['init', 'shutdown']);
  });
});

describe('LockModule.forRootAsync', () => {
  @Injectable()
  class Options {
    createLockOptions(): LockRootOptions {
      return { ttl: '7s' };
    }
  }
  @Module({ providers: [Options], exports: [Options] })
  class OptionsModule {}

  const ttlOf = async (app: INestApplicationContext) => {
    await using lease = await app.get(LockService).acquire('a');
    return Math.ceil(lease.remaining / 1_000);
  };

  it('takes useFactory with inject and extraProviders, and a connection beside them', async () => {
    const server = await opened.server({});
    const { app } = await start([
      redis(server, { name: 'locks' }),
      LockModule.forRootAsync({
        connection: 'locks',
        extraProviders: [{ provide: 'ttl', useValue: '7s' }],
        inject: ['ttl'],
        useFactory: async (ttl: '7s') => ({ namespace: 'app', ttl }),
      }),
    ]);
    expect(await ttlOf(app)).toBe(7);
    expect(await keys(server)).toEqual(['app:{a}']);
  });

  it.each([
    ['useClass', { useClass: Options }],
    ['useExisting', { imports: [OptionsModule], useExisting: Options }],
    [
      'useFactory with imports',
      {
        imports: [OptionsModule],
        inject: [Options],
        useFactory: (options: Options) => options.createLockOptions(),
      },
    ],
  ])('takes %s', async (_, options) => {
    const server = await opened.server({});
    const { app } = await start([redis(server), LockModule.forRootAsync(options)]);
    expect(await ttlOf(app)).toBe(7);
  });

  it('tells of wrong options, and of what the factory throws', async () => {
    const server = await opened.server({});
    const wrong = LockModule.forRootAsync({ useFactory: () => ({ ttl: 'x' }) as never });
    expect((await refused(startApplication([redis(server), wrong]))).message).toMatch(/ttl: 'x'/);
    const nothing = LockModule.forRootAsync({ useFactory: () => undefined as never });
    expect((await refused(startApplication([redis(server), nothing]))).message).toMatch(/options: undefined/);
    const failing = LockModule.forRootAsync({ useFactory: () => Promise.reject(new Error('No vault')) });
    await expect(startApplication([redis(server), failing])).rejects.toThrow('No vault');
  });

  it('keeps the locks to its importers with isGlobal: false', async () => {
    const server = await opened.server({});
    const lockModule = LockModule.forRootAsync({ isGlobal: false, useFactory: () => ({}) });
    @Module({ providers: [Bookings] })
    class Outside {}
    await expect(startApplication([redis(server), lockModule, Outside])).rejects.toThrow(/LockService/);
  });
});

describe('two applications in one process', () => {
  it('keep each other out, by one namespace; what one closes is not closed for the other', async () => {
    const server = await opened.server({});
    const modules = () => [redis(server), LockModule.forRoot({ wait: 0 })];
    const [one, two] = [await startApplication(modules()), await start(modules())];
    const [first, second] = [one.app.get(LockService), two.app.get(LockService)];
    expect(first).not.toBe(second);
    const lease = await first.acquire('a');
    await expect(second.acquire('a')).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    const own = await second.acquire('b');
    await one.app.close();
    expect(lease.lost).toMatchObject({ reason: 'shutdown' });
    expect(await own.extend()).toBeGreaterThan(0);
    await (await second.acquire('a')).release();
  });

  it('of two namespaces do not see each other', async () => {
    const server = await opened.server({});
    const of = (namespace: string) => start([redis(server), LockModule.forRoot({ namespace })]);
    const [one, two] = [await of('one'), await of('two')];
    expect(await one.app.get(LockService).tryAcquire('a')).toBeDefined();
    expect(await two.app.get(LockService).tryAcquire('a')).toBeDefined();
  });
});

describe('at shutdown', () => {
  it.each(['release', 'expire'] as const)("with onShutdown: '%s', leases are treated so", async (choice) => {
    const server = await opened.server({});
    const modules = () => [redis(server), LockModule.forRoot({ ttl: '20s', onShutdown: choice })];
    const { app } = await startApplication(modules());
    const lease = await app.get(LockService).acquire('a');
    await app.close();
    expect(lease.signal.reason).toMatchObject({ code: 'LOCK_LOST', reason: 'shutdown' });
    expect(await lease.release()).toBe('lost');
    const next = await start(modules());
    const free = await next.app.get(LockService).tryAcquire('a');
    expect(free !== undefined).toBe(choice === 'release');
  });

  it('what is asked of it afterwards is refused, and soon', async () => {
    const server = await opened.server({});
    const { app } = await startApplication([redis(server), LockModule.forRoot({ wait: '1s' })]);
    const locks = app.get(LockService);
    await app.close();
    await expect(locks.acquire('a')).rejects.toMatchObject({ statusCode: 503 });
    await expect(locks.tryAcquire('a')).rejects.toMatchObject({ statusCode: 503 });
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
  });
});

describe('without Redis at the start', () => {
  const modules = (server: RedisServer) => [
    redis(server, { startup: 'optional', startupTimeout: 300 }),
    LockModule.forRoot({ timeout: '200ms', wait: '500ms' }),
  ];

  it('it boots, says in time that nothing can be told, and works as soon as Redis is there', async () => {
    const server = await opened.server({});
    await server.kill();
    const { app } = await start(modules(server));
    const locks = app.get(LockService);
    const since = performance.now();
    await expect(locks.acquire('a')).rejects.toMatchObject({ code: 'LOCK_UNAVAILABLE', resource: 'a' });
    await expect(locks.tryAcquire('a')).rejects.toMatchObject({ code: 'LOCK_UNAVAILABLE' });
    const routine = () => expect(true).toBe(false);
    await expect(locks.using('a', routine)).rejects.toMatchObject({ code: 'LOCK_UNAVAILABLE' });
    expect(performance.now() - since).toBeLessThan(5_000);
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
    await server.restart();
    const lease = await eventually(() => locks.acquire('a'), 10_000);
    expect(await locks.tryAcquire('a')).toBeUndefined();
    const waiting = locks.acquire('a', { wait: '5s' });
    await eventually(() => locks.stats().waiting === 1);
    expect(await lease.release()).toBe('released');
    expect(await (await waiting).release()).toBe('released');
  });

  it('who waits gets in when Redis comes', async () => {
    const server = await opened.server({});
    await server.kill();
    const { app } = await start(modules(server));
    const waiting = app.get(LockService).acquire('a', { wait: '15s' });
    await server.restart();
    expect(await (await waiting).release()).toBe('released');
  });
});
