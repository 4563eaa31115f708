import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { HttpException, NotFoundException } from '@nestjs/common';
import { CacheFactoryTimeoutError, type CacheService, type CacheFactoryContext } from 'rednest';
import { eventually } from '../support/eventually.js';
import { TestFactory } from './fixtures/factories.js';
import { EVERYWHERE, Ground } from './fixtures/topologies.js';

const LISTENERS = 'events.maxEventTargetListeners';

const failing = () => Promise.reject(new Error('the database is away'));

describe.each(EVERYWHERE)('a factory with $name', (place) => {
  const ground = new Ground(place);
  const pair = (options: Parameters<Ground['caches']>[0]) => {
    const [cache, another = cache] = ground.caches(options) as [CacheService, CacheService?];
    return [cache, another] as const;
  };

  it('runs once, and what it gives is found by all', async () => {
    const [cache, another] = pair({});
    const factory = new TestFactory();
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 ? cache : another).getOrSet('a', factory.make)),
    );
    expect(new Set(results)).toEqual(new Set([1]));
    expect(factory.runs).toBe(1);
    expect(await another.wrap('a', factory.make)).toBe(1);
    expect(await cache.get('a')).toBe(1);
  });

  it('is told the key, what is stale, and of a shutdown', async () => {
    const [cache] = pair({ ttl: 50, stale: '1m' });
    const contexts: unknown[] = [];
    for (const value of ['first', 'second']) {
      await cache.getOrSet(
        'a',
        ({ key, stale, signal }) => {
          contexts.push({ key, stale, aborted: signal.aborted });
          return value;
        },
        { softTimeout: '5s' },
      );
      await sleep(80);
    }
    expect(contexts).toEqual([
      { key: 'a', stale: undefined, aborted: false },
      { key: 'a', stale: 'first', aborted: false },
    ]);
  });

  it('refreshes in the background while the stale value is served', async () => {
    const [cache, another] = pair({ ttl: 100, stale: '1m' });
    const factory = new TestFactory();
    await cache.getOrSet('a', factory.make);
    await sleep(130);
    factory.hold();
    const entries = await Promise.all([
      cache.getOrSetEntry('a', factory.make, { ttl: '1m' }),
      another.getOrSetEntry('a', factory.make, { ttl: '1m' }),
      cache.getOrSetEntry('a', factory.make, { ttl: '1m' }),
    ]);
    for (const entry of entries) {
      expect(entry).toMatchObject({ value: 1, status: 'stale', freshFor: 0 });
      expect(entry.age).toBeGreaterThanOrEqual(100);
    }
    await eventually(() => factory.runs === 2);
    factory.release();
    await eventually(async () => (await another.get('a')) === 2);
    await eventually(async () => (await cache.get('a')) === 2);
    expect(factory.runs).toBe(2);
    const hits = Array.from(new Set([cache, another]), (each) => each.stats().staleHits);
    expect(hits.reduce((sum, each) => sum + each)).toBe(3);
  });

  it('is waited for until the soft timeout where there is a stale value, and stored afterwards', async () => {
    const [cache] = pair({ ttl: 100, stale: '1m' });
    const factory = new TestFactory();
    await cache.getOrSet('a', factory.make);
    await sleep(130);
    const quick = await cache.getOrSetEntry('a', factory.make, { softTimeout: '5s' });
    expect(quick).toMatchObject({ value: 2, status: 'miss' });
    await sleep(130);
    factory.hold();
    const from = performance.now();
    expect(await cache.getOrSet('a', factory.make, { softTimeout: 150, ttl: '1m' })).toBe(2);
    expect(performance.now() - from).toBeGreaterThan(140);
    factory.release();
    await eventually(async () => (await cache.get('a')) === 3);
  });

  it('is waited for until the hard timeout where there is none, and stored afterwards', async () => {
    const [cache, another] = pair({ hardTimeout: 150 });
    const factory = new TestFactory();
    factory.hold();
    const error: unknown = await cache.getOrSet('a', factory.make).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CacheFactoryTimeoutError);
    expect(error).toMatchObject({ key: 'a', timeout: 150, code: 'CACHE_FACTORY_TIMEOUT' });
    const joining = cache.getOrSet('a', factory.make, { hardTimeout: '5s' });
    factory.release();
    expect(await joining).toBe(1);
    expect(await another.getOrSet('a', factory.make)).toBe(1);
    expect(factory.runs).toBe(1);
  });

  it('that throws makes the stale value be served, and is tried again after refreshRetry', async () => {
    const [cache] = pair({ ttl: 50, stale: '1m', refreshRetry: 250, softTimeout: '5s' });
    const factory = new TestFactory();
    await cache.getOrSet('a', factory.make);
    await sleep(80);
    factory.failure = new Error('the database is away');
    expect(await cache.getOrSetEntry('a', factory.make)).toMatchObject({ value: 1, status: 'stale' });
    const runs = factory.runs;
    expect(runs).toBe(2);
    for (let call = 0; call < 5; call++) expect(await cache.getOrSet('a', factory.make)).toBe(1);
    expect(factory.runs).toBe(runs);
    await sleep(280);
    expect(await cache.getOrSet('a', factory.make)).toBe(1);
    expect(factory.runs).toBe(runs + 1);
    factory.failure = undefined;
    await sleep(280);
    expect(await cache.getOrSet('a', factory.make)).toBe(4);
  });

  it('that throws is heard by all that wait, once, where there is nothing to serve', async () => {
    const [cache] = pair({});
    const factory = new TestFactory();
    const failure = new NotFoundException('no such city');
    factory.failure = failure;
    const calls = Array.from({ length: 20 }, () => cache.getOrSet('a', factory.make));
    for (const call of await Promise.allSettled(calls))
      expect(call).toEqual({ status: 'rejected', reason: failure });
    expect(factory.runs).toBe(1);
    factory.failure = undefined;
    expect(await cache.getOrSet('a', factory.make)).toBe(2);
  });

  it('does not have what is gone served when it throws', async () => {
    const [cache] = pair({ ttl: 60, stale: 300 });
    const factory = new TestFactory();
    await cache.getOrSet('a', factory.make);
    await sleep(90);
    factory.hold();
    factory.failure = new Error('the database is away');
    expect(await cache.getOrSet('a', factory.make)).toBe(1);
    await sleep(350);
    const late = expect(cache.getOrSet('a', factory.make)).rejects.toThrow('away');
    factory.release();
    await late;
  });

  it('that is slow does not make what is gone be served', async () => {
    const [cache] = pair({ ttl: 60, stale: 300 });
    const factory = new TestFactory();
    await cache.getOrSet('a', factory.make);
    await sleep(90);
    factory.hold();
    expect(await cache.getOrSet('a', factory.make)).toBe(1);
    await sleep(350);
    const late = await cache
      .getOrSet('a', factory.make, { hardTimeout: 100 })
      .catch((error: unknown) => error);
    expect(late).toBeInstanceOf(CacheFactoryTimeoutError);
    factory.release();
  });

  it.each<[string, (cache: CacheService, tag: string) => Promise<void>]>([
    ['was deleted', (cache) => cache.delete('a')],
    ['has lost its tag', (cache, tag) => cache.invalidateTags(tag)],
    ['is past its time', () => sleep(500)],
  ])('does not have a value served to those that wait that meanwhile %s', async (_, end) => {
    const [cache] = pair({ ttl: 60, stale: 500 });
    const tags = [ground.name()];
    const factory = new TestFactory();
    await cache.getOrSet('a', factory.make, { tags });
    await sleep(90);
    factory.hold();
    factory.failure = new Error('the database is away');
    const late = expect(
      cache.getOrSet('a', factory.make, { tags, softTimeout: '5s', hardTimeout: '10s' }),
    ).rejects.toThrow('the database is away');
    await eventually(() => factory.runs === 2);
    await end(cache, tags[0]!);
    factory.release();
    await late;
  });

  it('that never ends does not keep its key from others', async () => {
    const never = () => new Promise<number>(() => undefined);
    const hang = async (options: Parameters<typeof pair>[0]): Promise<void> => {
      const [cache, another] = pair(options);
      cache.getOrSet('a', never).catch(() => undefined);
      cache.getOrSet('b', never).catch(() => undefined);
      await sleep(600);
      expect(await cache.getOrSet('a', () => 1)).toBe(1);
      expect(await another.getOrSet('b', () => 2)).toBe(2);
      expect(await another.getOrSet('a', () => 3)).toBe(1);
    };
    await Promise.all([hang({ lease: 100, hardTimeout: 250 }), hang({ lease: 50 })]);
  });

  it('that has run where what it gives cannot be stored leaves nothing older', async () => {
    const [cache, another] = pair({ maxValueSize: 1_000, codec: 'json' });
    const large = 'x'.repeat(2_000);
    for (const value of [large, 1n]) {
      await cache.set('a', 'old');
      expect(await another.get('a')).toBe('old');
      expect(await cache.get('a')).toBe('old');
      expect(await cache.getOrSet<unknown>('a', () => value, { forceRefresh: true })).toBe(value);
      expect(await cache.get('a')).toBeUndefined();
      await eventually(async () => (await another.get('a')) === undefined);
    }
    await cache.set('a', 'old');
    const skip = (context: CacheFactoryContext) => context.skip();
    await cache.getOrSet('a', skip, { forceRefresh: true });
    expect(await cache.get('a')).toBe('old');
  });

  it('can be told of a shutdown by any number of listeners', async () => {
    const [cache] = pair({});
    await cache.getOrSet('a', ({ signal }) => {
      // What Node itself looks at before it warns.
      const limit = Object.getOwnPropertySymbols(signal).find((each) => each.description === LISTENERS);
      expect(limit && (signal as unknown as Record<symbol, unknown>)[limit]).toBe(0);
      return 1;
    });
  });

  it('says how long its value lives, and of what it consists', async () => {
    const [cache, another] = pair({ ttl: '1m' });
    const tag = ground.name();
    await cache.getOrSet('a', (context) => {
      context.ttl('1h');
      context.staleFor('2h');
      context.tag(tag, `${tag}b`);
      context.tag(tag);
      return 1;
    });
    const { freshFor = 0, staleFor = 0, tags } = await another.inspect('a');
    expect(freshFor / 3_600_000).toBeCloseTo(1, 1);
    expect(staleFor / 3_600_000).toBeCloseTo(3, 1);
    expect(tags).toEqual([tag, `${tag}b`]);
    await another.invalidateTags(tag);
    await eventually(async () => (await cache.get('a')) === undefined);
    await cache.getOrSet('short', (context) => {
      context.ttl(50);
      return 1;
    });
    await sleep(80);
    expect(await cache.get('short')).toBeUndefined();
  });

  it('can have its value not stored', async () => {
    const [cache, another] = pair({});
    const skipping = new TestFactory();
    const make: typeof skipping.make = (context) => {
      context.skip();
      return skipping.make(context);
    };
    expect(await cache.getOrSet('a', make)).toBe(1);
    expect(await cache.getOrSet('a', make)).toBe(2);
    expect(await another.getOrSet('a', make)).toBe(3);
    await eventually(async () => !(await cache.inspect('a')).leased);
    expect(await cache.inspect('a')).toMatchObject({ state: 'missing' });
    const noTime = (): number => 1;
    await cache.getOrSet('b', (context) => {
      context.ttl(0);
      return noTime();
    });
    expect(await cache.has('b')).toBe(false);
  });

  it('is told what is wrong with its wishes', async () => {
    const [cache] = pair({});
    const ask = (wish: (context: { ttl(ttl: never): void; tag(tag: never): void }) => void) =>
      cache.getOrSet('a', (context) => wish(context as never));
    await expect(ask((context) => context.ttl('soon' as never))).rejects.toThrow(/ttl: .*soon/);
    await expect(ask((context) => context.tag(undefined as never))).rejects.toThrow(/tag/);
  });

  it('runs whatever there is when that is asked for', async () => {
    const [cache, another] = pair({});
    const factory = new TestFactory();
    await cache.getOrSet('a', factory.make);
    expect(await another.get('a')).toBe(1);
    expect(await cache.getOrSet('a', factory.make, { forceRefresh: true })).toBe(2);
    expect(await cache.get('a')).toBe(2);
    await eventually(async () => (await another.get('a')) === 2);
    const many = await cache.getOrSetMany(['a', 'b'], (keys) => new Map(keys.map((key) => [key, key])), {
      forceRefresh: true,
    });
    expect(many).toEqual(['a', 'b']);
    await expect(cache.getOrSet('a', failing, { forceRefresh: true })).rejects.toThrow('away');
    expect(await cache.get('a')).toBe('a');
  });

  it('that is costly begins again before the end, if that is asked for', async () => {
    const [cache] = pair({ ttl: '1m' });
    const factory = new TestFactory();
    const costly = async (context: CacheFactoryContext): Promise<number> => {
      await sleep(20);
      return factory.make(context);
    };
    await cache.getOrSet('a', costly, { earlyRefresh: 0 });
    for (let call = 0; call < 50; call++) await cache.getOrSet('a', costly, { earlyRefresh: 0 });
    expect(factory.runs).toBe(1);
    // So large a factor that each call would rather refresh.
    const options = { earlyRefresh: 1e9 };
    expect(await cache.getOrSet('a', costly, options)).toBe(1);
    await eventually(async () => (await cache.getOrSet('a', costly, { earlyRefresh: 0 })) === 2);
    expect(factory.runs).toBe(2);
    expect(await cache.getOrSetEntry('a', costly, options)).toMatchObject({ value: 2, status: 'hit' });
    await eventually(async () => (await cache.getOrSet('a', costly, { earlyRefresh: 0 })) === 3);
  });

  it('that begins early holds nobody up who finds a fresh value', async () => {
    const [cache] = pair({ ttl: '1m' });
    const factory = new TestFactory();
    const costly = async (context: CacheFactoryContext): Promise<number> => {
      await sleep(20);
      return factory.make(context);
    };
    const options = { earlyRefresh: 1e9 };
    await cache.getOrSet('a', costly);
    factory.hold();
    for (let turn = 0; turn < 10; turn++) {
      const asking = Array.from({ length: 3 }, () => cache.getOrSetEntry('a', costly, options));
      for (const entry of await Promise.all(asking)) expect(entry).toMatchObject({ value: 1, status: 'hit' });
      await cache.getOrSetEntry('a', costly, options);
      await sleep(5);
    }
    expect(factory.runs).toBe(2);
    factory.release();
    await eventually(async () => (await cache.get('a')) === 2);
  });

  it('that is costly begins again early without a local tier, too', async () => {
    if (!place.start) return;
    const [cache] = pair({ ttl: '1m', local: false });
    const factory = new TestFactory();
    const costly = async (context: CacheFactoryContext): Promise<number> => {
      await sleep(20);
      return factory.make(context);
    };
    await cache.getOrSet('a', costly);
    expect(await cache.getOrSet('a', costly, { earlyRefresh: 1e9 })).toBe(1);
    await eventually(async () => (await cache.get('a')) === 2);
  });

  it('that begins early and fails leaves the value as it is', async () => {
    const [cache] = pair({ ttl: 300, refreshRetry: 50 });
    await cache.getOrSet('a', async () => {
      await sleep(20);
      return 1;
    });
    expect(await cache.getOrSet<number>('a', failing, { earlyRefresh: 1e9 })).toBe(1);
    await sleep(30);
    expect(await cache.get('a')).toBe(1);
    await sleep(300);
    await expect(cache.getOrSet('a', failing, { earlyRefresh: 1 })).rejects.toThrow('away');
  });

  it('has its errors cached, for a short time, if that is asked for', async () => {
    const [cache, another] = pair({ ttl: '1h', errors: { ttl: 300 } });
    const factory = new TestFactory();
    factory.failure = new NotFoundException({ code: 'CITY', message: 'no such city' });
    await expect(cache.getOrSet('a', factory.make)).rejects.toBe(factory.failure);
    for (const each of [cache, another, cache, another]) {
      const error: unknown = await each.getOrSet('a', factory.make).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(HttpException);
      expect((error as HttpException).getStatus()).toBe(404);
      expect((error as HttpException).getResponse()).toEqual({ code: 'CITY', message: 'no such city' });
    }
    expect(factory.runs).toBe(1);
    expect(await another.get('a')).toBeUndefined();
    expect(await another.get('a', { stale: true })).toBeUndefined();
    expect(await another.has('a')).toBe(false);
    expect(await another.getMany(['a'])).toEqual([undefined]);
    expect(await another.inspect('a')).toMatchObject({ state: 'fresh', kind: 'error' });
    await expect(another.getOrSetMany(['a'], () => new Map())).rejects.toThrow('no such city');
    await sleep(350);
    factory.failure = undefined;
    expect(await another.getOrSet('a', factory.make)).toBe(2);
  });

  it('has only those errors cached that are chosen, and none by default', async () => {
    const [cache] = pair({});
    const errors = { ttl: '1m', when: (error: unknown) => error instanceof HttpException } as const;
    const factory = new TestFactory();
    for (const failure of [new TypeError('x'), new NotFoundException(), new NotFoundException()]) {
      factory.failure = failure;
      await expect(cache.getOrSet('a', factory.make, { errors })).rejects.toThrow(failure.message);
    }
    expect(factory.runs).toBe(2);
    await cache.delete('a');
    factory.failure = new NotFoundException();
    for (let call = 0; call < 2; call++)
      await expect(cache.getOrSet('a', factory.make)).rejects.toThrow(NotFoundException);
    expect(factory.runs).toBe(4);
  });

  it('has its own error thrown where the choice of errors fails', async () => {
    const [cache] = pair({});
    const when = (): boolean => {
      throw new Error('not this');
    };
    const errors = { ttl: '1m', when } as const;
    for (let call = 0; call < 2; call++)
      await expect(cache.getOrSet('a', failing, { errors })).rejects.toThrow('the database is away');
    expect(cache.stats().factoryRuns).toBe(2);
  });

  it('that throws while its error would be cached still has the stale value served', async () => {
    const [cache] = pair({ ttl: 50, stale: '1m', errors: { ttl: '1m' }, softTimeout: '5s' });
    const factory = new TestFactory();
    await cache.getOrSet('a', factory.make);
    await sleep(80);
    factory.failure = new Error('away');
    expect(await cache.getOrSet('a', factory.make)).toBe(1);
    expect(await cache.getOrSet('a', factory.make)).toBe(1);
    expect(await cache.get('a', { stale: true })).toBe(1);
  });
});
