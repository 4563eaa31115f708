import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { escapePattern, type CacheService, type CacheProgress } from 'rednest';
import { eventually } from '../support/eventually.js';
import { TestFactory } from './fixtures/factories.js';
import { EVERYWHERE, Ground } from './fixtures/topologies.js';

const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`);
const entriesOf = (keys: string[]) => keys.map((key) => [key, key] as const);

/** What Redis 7 itself gives for `KEYS`, in the order of the keys above. */
const REDIS_MATCHES: Record<string, string[]> = {
  '[b-d]x': ['bx', 'cx'],
  '[d-b]x': ['bx', 'cx'],
  '[^b-d]x': ['ax', ']x', '[x', '-x', '.x'],
  '[\\]]x': [']x'],
  '[abc': ['a'],
  '[]x': [],
  '\\[x': ['[x'],
  '[a\\-c]x': ['cx', 'ax', '-x'],
  '[.]x': ['.x'],
  '**x': ['bx', 'cx', 'ax', ']x', '[x', '-x', '.x', 'x', '[]x'],
  '': [],
};

describe.each(EVERYWHERE)('maintenance with $name', (place) => {
  const ground = new Ground(place);
  const pair = (options: Parameters<Ground['caches']>[0] = {}) => {
    const [cache, another = cache] = ground.caches(options) as [CacheService, CacheService?];
    return [cache, another] as const;
  };

  it('clears a cache, for all processes, and nothing else', async () => {
    const [cache, another] = pair({ stale: '1m' });
    const [kept] = pair();
    const tag = ground.name();
    for (const server of await ground.masters())
      await (await server.admin()).set(`app:n:${server.port}`, 'mine').catch(() => undefined);
    await kept.set('a', 1, { tags: [tag] });
    await cache.setMany(entriesOf(keysOf(50)), { tags: [tag] });
    expect(await another.get('k1')).toBe('k1');
    const others = (await ground.keys('*')).filter((key) => !key.includes(`:e:${cache.name}:`));
    const progress: CacheProgress[] = [];
    await cache.clear({ onProgress: (each) => progress.push(each) });
    expect(await cache.getMany(keysOf(50), { stale: true })).toEqual(keysOf(50).map(() => undefined));
    await eventually(async () => (await another.get('k1', { stale: true })) === undefined);
    expect(await kept.get('a')).toBe(1);
    if (place.start) {
      expect(await ground.keys('*')).toEqual(others);
      expect(progress.at(-1)).toEqual({ done: 50, total: undefined });
    }
    await another.set('k1', 'again');
    expect(await another.get('k1')).toBe('again');
    await eventually(async () => (await cache.get('k1')) === 'again');
  });

  it('does not have what was begun before a clear be served after it', async () => {
    const [cache, another] = pair();
    const factory = new TestFactory();
    factory.hold();
    const before = cache.getOrSet('a', factory.make);
    await eventually(() => factory.runs === 1);
    await another.clear();
    await sleep(100);
    factory.release();
    expect(await before).toBe(1);
    expect(await cache.getOrSet('a', factory.make)).toBe(2);
    expect(await another.getOrSet('a', factory.make)).toBe(2);
  });

  it('deletes by pattern', async () => {
    const [cache, another] = pair();
    await cache.setMany(entriesOf(['city:1', 'city:2', 'city:10', 'town:1', 'a city:1']));
    expect(await another.getMany(['city:1', 'town:1'])).toEqual(['city:1', 'town:1']);
    const progress: CacheProgress[] = [];
    expect(await cache.deleteByPattern('city:?', { onProgress: (each) => progress.push(each) })).toBe(2);
    expect(await cache.getMany(['city:1', 'city:2', 'city:10', 'town:1', 'a city:1'])).toEqual(
      [undefined, undefined, 'city:10', 'town:1', 'a city:1'],
    ); // prettier-ignore
    await eventually(async () => (await another.get('city:1')) === undefined);
    if (place.start) expect(progress.at(-1)).toEqual({ done: 2, total: undefined });
    expect(await another.deleteByPattern('c*')).toBe(1);
    await eventually(async () => (await cache.get('city:10')) === undefined);
    expect(await cache.deleteByPattern('nothing*')).toBe(0);
  });

  it.each(['*', '?', '[a-z]', '[^a]', 'a\\', '\\', '[', ']', '^', 'a*b?[c]\\d', '{}()|.+$/', 'Zürich 東京'])(
    'deletes what a user typed, and nothing else: %j',
    async (typed) => {
      const [cache, another] = pair();
      const bystanders = ['search:a:1', 'search:aXbYcd:1', 'search::1', 'search:ab:1', 'other'];
      await cache.setMany(entriesOf([`search:${typed}:1`, `search:${typed}:2`, ...bystanders]));
      expect(await another.get(`search:${typed}:1`)).toBe(`search:${typed}:1`);
      expect(await cache.deleteByPattern(`search:${escapePattern(typed)}:*`)).toBe(2);
      expect(await cache.getMany([`search:${typed}:1`, ...bystanders])).toEqual([undefined, ...bystanders]);
      await eventually(async () => (await another.get(`search:${typed}:1`)) === undefined);
    },
  );

  it.each(['[b-d]x', '[d-b]x', '[^b-d]x', '[\\]]x', '[abc', '[]x', '\\[x', '[a\\-c]x', '[.]x', '**x', ''])(
    'understands the pattern %j as Redis does',
    async (pattern) => {
      const keys = ['bx', 'cx', 'ax', ']x', '[x', '-x', '.x', 'x', 'a', 'abc', '[abc', '[]x'];
      const [cache] = pair();
      await cache.setMany(entriesOf(keys));
      const expected = REDIS_MATCHES[pattern]!;
      expect(await cache.deleteByPattern(pattern)).toBe(expected.length);
      const left = (await cache.getMany(keys)).filter((value) => value !== undefined);
      expect(keys.filter((key) => !left.includes(key))).toEqual(expected);
    },
  );

  it('tells which keys there are, in pages', async () => {
    const [cache, another] = pair();
    const cities = keysOf(2_500).map((key) => `city:${key}`);
    await cache.setMany(entriesOf([...cities, 'town:1', 'a city:1']));
    const told = async (pattern?: string): Promise<Set<string>> => {
      const keys = new Set<string>();
      for await (const page of cache.keys(pattern)) for (const key of page) keys.add(key);
      return keys;
    };
    expect(await told('city:*')).toEqual(new Set(cities));
    expect(await told()).toEqual(new Set([...cities, 'town:1', 'a city:1']));
    expect(await told('nothing*')).toEqual(new Set());
    const [first] = [await cache.keys().next()];
    expect(first.value?.length).toBeGreaterThan(0);
    // Without Redis, it is all in one place.
    if (place.start) expect(first.value?.length).toBeLessThan(cities.length);
    await another.delete('town:1');
    expect(await told('town:*')).toEqual(new Set());
  });

  it('sweeps what was made long ago, and leaves what is being made', async () => {
    const [cache, another] = pair({ ttl: '1h' });
    await cache.setMany(entriesOf(['old', 'older']));
    expect(await cache.get('old')).toBe('old');
    await sleep(250);
    await cache.set('young', 1);
    const factory = new TestFactory();
    factory.hold();
    const making = another.getOrSet('making', factory.make);
    await eventually(() => factory.runs === 1);
    expect(await cache.sweep({ olderThan: '1h' })).toBe(0);
    expect(await cache.sweep({ olderThan: 150 })).toBe(2);
    expect(await cache.getMany(['old', 'older', 'young'])).toEqual([undefined, undefined, 1]);
    factory.release();
    expect(await making).toBe(1);
    expect(await cache.getOrSet('making', factory.make)).toBe(1);
    await expect(cache.sweep({ olderThan: 'yesterday' as never })).rejects.toThrow(/olderThan: /);
  });

  it('warms up, so many at a time, and tells how far it is', async () => {
    const [cache, another] = pair();
    const tag = ground.name();
    await cache.set('k3', 'known');
    let running = 0;
    let most = 0;
    const asked: string[][] = [];
    const progress: CacheProgress[] = [];
    await cache.warm(
      new Set(keysOf(50)),
      async (keys) => {
        asked.push(keys);
        most = Math.max(most, ++running);
        await sleep(20);
        running--;
        return new Map(entriesOf(keys));
      },
      { batch: 10, concurrency: 2, tags: [tag], onProgress: (each) => progress.push(each) },
    );
    expect(asked.flat().toSorted()).toEqual(keysOf(50).filter((key) => key !== 'k3').toSorted()); // prettier-ignore
    expect(Math.max(...asked.map(({ length }) => length))).toBeLessThanOrEqual(10);
    if (place.name !== 'Cluster') expect(most).toBe(2);
    expect(progress.map(({ done }) => done)).toEqual([10, 20, 30, 40, 50]);
    expect(progress.every(({ total }) => total === 50)).toBe(true);
    expect(await another.getMany(keysOf(5))).toEqual(['k0', 'k1', 'k2', 'known', 'k4']);
    expect((await another.inspect('k1')).tags).toEqual([tag]);
  });

  it('can be called off, and says what is wrong', async () => {
    const [cache] = pair();
    await cache.setMany(entriesOf(keysOf(5)));
    const signal = AbortSignal.abort(new Error('enough'));
    const load = (keys: string[]) => new Map(entriesOf(keys));
    await expect(cache.warm(['x'], load, { signal })).rejects.toThrow('enough');
    await expect(cache.warm(['x'], () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    await expect(cache.warm(['x'], load, { batch: 0 })).rejects.toThrow(/batch: 0/);
    await expect(cache.warm(['x'], load, { concurrency: 1.5 })).rejects.toThrow(/concurrency: 1.5/);
    await expect(cache.warm(['x'], load, { ttl: 'soon' as never })).rejects.toThrow(/ttl: /);
    expect(await cache.has('x')).toBe(false);
    if (!place.start) return;
    await expect(cache.deleteByPattern('*', { signal })).rejects.toThrow('enough');
    await expect(cache.sweep({ olderThan: 0, signal })).rejects.toThrow('enough');
    // Of the factory that has failed something stays for a moment, for those that may have waited for it.
    await eventually(async () => expect(await ground.keys(`app:cache:e:${cache.name}:*`)).toHaveLength(5));
    // It is invalid all the same.
    await expect(cache.clear({ signal })).rejects.toThrow('enough');
    expect(await cache.get('k1')).toBeUndefined();
  });

  it('tells what there is under a key', async () => {
    const [cache, another] = pair();
    const tag = ground.name();
    const missing = { key: 'a', redisKey: `app:cache:e:${cache.name}:a`, local: false, leased: false };
    expect(await cache.inspect('a')).toEqual({ ...missing, state: 'missing' });
    const factory = new TestFactory();
    factory.hold();
    const making = cache.getOrSet('a', factory.make, { ttl: 200, stale: '1m', tags: [tag] });
    await eventually(() => factory.runs === 1);
    if (place.start)
      expect(await another.inspect('a')).toEqual({ ...missing, state: 'missing', leased: true });
    factory.release();
    await making;
    const fresh = await cache.inspect('a');
    expect(fresh).toMatchObject({ state: 'fresh', leased: false, kind: 'value', tags: [tag] });
    expect(fresh.freshFor).toBeLessThanOrEqual(200);
    expect(fresh.staleFor).toBeGreaterThan(fresh.freshFor!);
    expect(fresh.size).toBeGreaterThan(68);
    expect(fresh.age).toBeGreaterThanOrEqual(0);
    expect(fresh.cost).toBeGreaterThanOrEqual(0);
    await cache.get('a');
    expect(await cache.inspect('a')).toMatchObject({ local: true });
    await sleep(250);
    expect(await cache.inspect('a')).toMatchObject({ state: 'stale', freshFor: 0 });
    await another.invalidateTags(tag);
    await eventually(async () => (await cache.inspect('a')).state === 'invalidated');
    await cache.set('u', undefined);
    expect(await cache.inspect('u')).toMatchObject({ state: 'fresh', kind: 'undefined' });
  });

  it('counts', async () => {
    const [cache] = pair({ stale: '1m', errors: false });
    const factory = new TestFactory();
    await cache.get('a');
    await cache.getOrSet('a', factory.make, { ttl: 100 });
    await cache.get('a');
    await cache.get('a');
    await sleep(130);
    await cache.getOrSet('a', factory.make);
    await eventually(() => cache.stats().stores === 2);
    await cache.delete(['a', 'b']);
    await cache.getOrSet('a', () => Promise.reject(new Error('x'))).catch(() => undefined);
    const stats = cache.stats();
    expect(stats).toMatchObject({
      staleHits: 1,
      misses: 3,
      factoryRuns: 3,
      factoryErrors: 1,
      stores: 2,
      invalidations: 1,
      errors: 1,
      localEntries: 0,
      localBytes: 0,
      pendingInvalidations: 0,
      shared: place.start !== undefined,
      available: place.start !== undefined,
      coherent: place.coherence !== 'none',
    });
    expect(stats.localHits + stats.redisHits).toBe(2);
    await cache.set('a', 1);
    await eventually(async () => {
      await cache.get('a');
      return cache.stats().localEntries === 1;
    });
    expect(cache.stats().localBytes).toBeGreaterThan(0);
  });
});
