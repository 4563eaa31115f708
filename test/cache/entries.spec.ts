import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CacheValueTooLargeError, type CacheService, type CacheCodec } from 'rednest';
import { eventually } from '../support/eventually.js';
import { TestFactory } from './fixtures/factories.js';
import { CLUSTER, EVERYWHERE, Ground, SHARED, STANDALONE } from './fixtures/topologies.js';

/** What may be cached and is easily taken for nothing. */
const VALUES: [string, unknown][] = [
  ['null', null],
  ['undefined', undefined],
  ['false', false],
  ['0', 0],
  ['an empty text', ''],
  ['an object', { city: 'Zürich', at: new Date(0), tags: new Set(['a']), big: 2n ** 70n }],
  ['bytes', Buffer.from([0, 255, 10, 13])],
];

describe.each(EVERYWHERE)('an entry with $name', (place) => {
  const ground = new Ground(place);

  it.each(VALUES)('that is %s is found as that', async (_, value) => {
    const factory = new TestFactory();
    for (const cache of ground.caches()) {
      await cache.set('a', value);
      expect(await cache.get('a')).toEqual(value);
      expect(await cache.has('a')).toBe(true);
      expect(await cache.getOrSet<unknown>('a', factory.make)).toEqual(value);
      expect(await cache.getMany(['b', 'a'])).toEqual([undefined, value]);
    }
    for (const cache of ground.caches()) {
      expect(await cache.getOrSet('a', () => value)).toEqual(value);
      expect(await cache.getOrSet<unknown>('a', factory.make)).toEqual(value);
      expect(await cache.has('a')).toBe(true);
      expect((await cache.inspect('a')).kind).toBe(value === undefined ? 'undefined' : 'value');
    }
    expect(factory.runs).toBe(0);
  });

  it('is missing before it is set, and after it is deleted', async () => {
    const [cache, another = cache] = ground.caches() as [CacheService, CacheService?];
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.has('a')).toBe(false);
    await cache.set('a', 1);
    expect(await another.get('a')).toBe(1);
    await cache.delete('a');
    expect(await cache.get('a')).toBeUndefined();
    await eventually(async () => !(await another.has('a')));
  });

  it('is replaced, for those that have it already too', async () => {
    const [cache, another = cache] = ground.caches() as [CacheService, CacheService?];
    await cache.set('a', 1);
    expect(await another.get('a')).toBe(1);
    await cache.set('a', 2);
    expect(await cache.get('a')).toBe(2);
    await eventually(async () => (await another.get('a')) === 2);
    await another.set('a', 3);
    await eventually(async () => (await cache.get('a')) === 3);
  });

  it('is fresh, then stale, then gone', async () => {
    const cache = ground.cache({ ttl: 200, stale: 350 });
    await cache.set('a', 1);
    expect(await cache.get('a')).toBe(1);
    expect(await cache.inspect('a')).toMatchObject({ state: 'fresh' });
    await sleep(230);
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.has('a')).toBe(false);
    expect(await cache.getMany(['a'])).toEqual([undefined]);
    expect(await cache.get('a', { stale: true })).toBe(1);
    expect(await cache.getMany(['a'], { stale: true })).toEqual([1]);
    expect(await cache.inspect('a')).toMatchObject({ state: 'stale', freshFor: 0 });
    await sleep(400);
    expect(await cache.get('a', { stale: true })).toBeUndefined();
    expect((await cache.inspect('a')).state).not.toBe('stale');
    expect(await ground.keys(`app:cache:e:${cache.name}:*`)).toEqual([]);
  });

  it('is gone at the end of its ttl where nothing is said of stale', async () => {
    const cache = ground.cache({ ttl: 100 });
    const factory = new TestFactory();
    expect(await cache.getOrSet('a', factory.make)).toBe(1);
    await sleep(150);
    expect(await cache.get('a', { stale: true })).toBeUndefined();
    expect(await cache.getOrSet('a', factory.make)).toBe(2);
  });

  it('lives as its own options say', async () => {
    const cache = ground.cache({ ttl: '1h', stale: '1h' });
    await cache.set('set', 1, { ttl: 100, stale: 0 });
    await cache.setMany([['many', 1]], { ttl: '100ms', stale: 0 });
    await cache.getOrSet('made', () => 1, { ttl: 100, stale: 0 });
    await cache.set('long', 1, { ttl: '2h', stale: '3h' });
    const { freshFor = 0, staleFor = 0 } = await cache.inspect('long');
    expect(freshFor / 3_600_000).toBeCloseTo(2, 1);
    expect(staleFor / 3_600_000).toBeCloseTo(5, 1);
    await sleep(150);
    expect(await cache.getMany(['set', 'many', 'made'], { stale: true })).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('is shortened by up to its jitter, at random', async () => {
    const cache = ground.cache({ ttl: 100_000, jitter: 0.5 });
    const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);
    await cache.setMany(keys.slice(0, 30).map((key) => [key, 1]));
    for (const key of keys.slice(30)) await cache.getOrSet(key, () => 1);
    const lives = await Promise.all(keys.map(async (key) => (await cache.inspect(key)).freshFor ?? 0));
    expect(Math.max(...lives)).toBeLessThanOrEqual(100_000);
    expect(Math.min(...lives)).toBeGreaterThan(45_000);
    expect(Math.max(...lives) - Math.min(...lives)).toBeGreaterThan(10_000);
    await cache.set('exact', 1, { jitter: 0 });
    expect((await cache.inspect('exact')).freshFor).toBeGreaterThan(95_000);
  });

  it('is stale at once when it is told to expire, and refreshed by the next reader', async () => {
    const [cache, another = cache] = ground.caches({ ttl: '1m', stale: '1m' }) as [
      CacheService,
      CacheService?,
    ];
    const factory = new TestFactory();
    await cache.getOrSet('a', factory.make);
    expect(await another.get('a')).toBe(1);
    await cache.expire('a');
    expect(await cache.get('a')).toBeUndefined();
    await eventually(async () => (await another.get('a')) === undefined);
    expect(await another.get('a', { stale: true })).toBe(1);
    const { state, staleFor = 0 } = await cache.inspect('a');
    expect(state).toBe('stale');
    expect(staleFor).toBeLessThanOrEqual(60_000);
    expect(await cache.getOrSet('a', factory.make)).toBe(1);
    await eventually(async () => (await cache.get('a')) === 2);
  });

  it('is gone when it is told to expire and may not be stale', async () => {
    const cache = ground.cache();
    await cache.setMany([
      ['a', 1],
      ['b', 1],
    ]);
    await cache.expire(['a', 'b', 'never there']);
    expect(await cache.getMany(['a', 'b'], { stale: true })).toEqual([undefined, undefined]);
    await expect(
      cache.getOrSet('a', () => {
        throw new Error('away');
      }),
    ).rejects.toThrow('away');
  });

  it('is refused where its options are wrong, by the name of the option', async () => {
    const cache = ground.cache();
    const factory = new TestFactory();
    const wrong: [object, RegExp][] = [
      [{ ttl: 'soon' }, /ttl: "?'?soon/],
      [{ ttl: 0 }, /ttl: 0 is not more than 0 ms/],
      [{ ttl: 1e300 }, /ttl: 1e\+300 is more than 36500 days/],
      [{ stale: -1 }, /stale: -1/],
      [{ stale: '36501d' }, /stale: .*36501d'? is more than 36500 days/],
      [{ jitter: 2 }, /jitter: 2/],
      [{ tags: 'cities' }, /tags: /],
      [{ tags: [1] }, /tags: /],
    ];
    for (const [options, message] of wrong) {
      await expect(cache.set('a', 1, options)).rejects.toThrow(message);
      await expect(cache.setMany([['a', 1]], options)).rejects.toThrow(message);
      await expect(cache.getOrSet('a', factory.make, options)).rejects.toThrow(message);
      await expect(cache.getOrSetMany(['a'], () => new Map([['a', 1]]), options)).rejects.toThrow(message);
    }
    const wrongFactory: [object, RegExp][] = [
      [{ softTimeout: 'soon' }, /softTimeout: /],
      [{ hardTimeout: Number.NaN }, /hardTimeout: /],
      [{ hardTimeout: 1e10 }, /hardTimeout: 10000000000 is more than the 24.8 days/],
      [{ earlyRefresh: -1 }, /earlyRefresh: -1/],
      [{ errors: {} }, /errors\.ttl: /],
      [{ errors: { ttl: 'soon' } }, /errors\.ttl: /],
      [{ errors: { ttl: '1s', when: 5 } }, /errors\.when: 5 is not a function/],
    ];
    for (const [options, message] of wrongFactory)
      await expect(cache.getOrSet('a', factory.make, options)).rejects.toThrow(message);
    expect(factory.runs).toBe(0);
    expect(await cache.getOrSet('a', factory.make)).toBe(1);
  });

  it('may be stale from the beginning', async () => {
    const cache = ground.cache();
    await cache.set('a', 1, { ttl: 0, stale: '1m' });
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.get('a', { stale: true })).toBe(1);
  });

  it.each<[string, unknown, RegExp]>([
    ['a number', 8, /^key: 8 is not a text/],
    ['an object', {}, /^key: .* is not a text/],
    ['undefined', undefined, /^key: undefined is not a text/],
    ['null', null, /^key: null is not a text/],
    ['an empty text', '', /^key: '' is not a text with at least one letter/],
    ['half a surrogate pair', 'u\ud800', /^key: "u\\ud800" holds half a surrogate pair/],
  ])('is refused where its key is %s', async (_, wrong, message) => {
    for (const cache of [ground.cache(), ground.cache({ local: false })]) {
      const key = wrong as string;
      const factory = new TestFactory();
      const calls: (() => Promise<unknown>)[] = [
        () => cache.get(key),
        () => cache.getMany(['a', key]),
        () => cache.getOrSet(key, factory.make),
        () => cache.getOrSet(key, factory.make, { forceRefresh: true }),
        () => cache.getOrSetEntry(key, factory.make),
        () => cache.getOrSetMany(['a', key], () => new Map([['a', ++factory.runs]])),
        () => cache.set(key, 1),
        () => cache.setMany([['a', 1], [key, 1]]), // prettier-ignore
        () => cache.has(key),
        () => cache.inspect(key),
        () => cache.delete([key]),
        () => cache.expire(['a', key]),
      ];
      for (const call of calls)
        await expect(call()).rejects.toThrow(
          expect.objectContaining({ message: expect.stringMatching(message) }),
        );
      expect(factory.runs).toBe(0);
      expect(await cache.has('a')).toBe(false);
    }
  });

  it('is not invalidated by what names none', async () => {
    const cache = ground.cache();
    const none = undefined as unknown as string;
    await expect(cache.delete(none)).rejects.toThrow('keys: undefined is not a text or a list of texts');
    await expect(cache.expire(none)).rejects.toThrow('keys: undefined is not a text or a list of texts');
    await expect(cache.invalidateTags(none)).rejects.toThrow('tags: undefined is not a list of texts');
    await expect(cache.invalidateTags([none])).rejects.toThrow('tags: undefined is not a text');
    await expect(cache.setMany(none as never)).rejects.toThrow(TypeError);
    expect(cache.stats().invalidations).toBe(0);
  });

  it('is left out where its value is too large, and said once', async () => {
    const cache = ground.cache({ maxValueSize: 1_000 });
    const large = 'x'.repeat(2_000);
    await cache.set('a', 'small');
    await cache.set('a', large);
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.getOrSet('b', () => large)).toBe(large);
    expect(await cache.getOrSet('b', () => 'other')).toBe('other');
  });

  it('is refused where its value is too large and that is asked for', async () => {
    const cache = ground.cache({ maxValueSize: '1kb', oversize: 'throw' });
    const large = 'x'.repeat(2_000);
    const setting = cache.setMany([
      ['a', large],
      ['b', 1],
    ]);
    await expect(setting).rejects.toThrow(CacheValueTooLargeError);
    await expect(setting).rejects.toThrow("'a' has");
    expect(await cache.get('b')).toBe(1);
    await expect(cache.getOrSet('a', () => large)).rejects.toThrow(CacheValueTooLargeError);
    expect(await cache.getOrSet('a', () => 'small')).toBe('small');
  });

  it('that cannot be encoded is returned by getOrSet, and refused by set', async () => {
    const cache = ground.cache({ codec: 'json' });
    await expect(cache.set('a', 1n)).rejects.toThrow("The value of 'a' cannot be encoded");
    expect(await cache.getOrSet('a', () => 1n)).toBe(1n);
    expect(await cache.get('a')).toBeUndefined();
    expect(cache.stats().errors).toBe(1);
  });

  it.each(['gzip', 'brotli'] as const)('is the same when compressed by %s', async (compression) => {
    const [cache, another = cache] = ground.caches({ compression }) as [CacheService, CacheService?];
    const value = { text: 'Zürich '.repeat(5_000), small: 1 };
    await cache.set('a', value);
    await cache.set('b', 'small');
    expect(await another.getMany(['a', 'b'])).toEqual([value, 'small']);
    expect((await another.inspect('a')).size).toBeLessThan(2_000);
    expect(await another.getOrSet('c', () => value)).toEqual(value);
    expect(await cache.get('c')).toEqual(value);
  });

  it('is what its codec makes of it', async () => {
    const json = ground.cache({ codec: 'json' });
    await json.set('a', { at: new Date(0) });
    expect(await json.get('a')).toEqual({ at: '1970-01-01T00:00:00.000Z' });
    await json.set('b', undefined);
    expect(await json.has('b')).toBe(true);
    const reversed: CacheCodec = {
      id: 200,
      encode: (value, key) => Buffer.from(`${key}:${String(value)}`),
      decode: (bytes, key) => bytes.toString().slice(key.length + 1),
    };
    const custom = ground.cache({ codec: reversed });
    await custom.set('a', 12);
    expect(await custom.get('a')).toBe('12');
    expect(await custom.getOrSet('b', () => 'x')).toBe('x');
    expect(await custom.get('b')).toBe('x');
  });
});

describe.each(SHARED)('what others put under the key with $name', (place) => {
  const ground = new Ground(place);

  it.each<[string, string, (string | Buffer)[]]>([
    ['text', 'SET', ['hello']],
    ['nothing', 'SET', ['']],
    ['bytes', 'SET', [Buffer.from([0, 1, 2, 255])]],
    ['the beginning of a record', 'SET', ['RC\u0001\u0001']],
    ['a record of a later version', 'SET', [Buffer.from(`RC\u0009${'\u0000'.repeat(100)}`)]],
    ['a damaged record', 'SET', [Buffer.from(`RC\u0001\u0001${'\u00ff'.repeat(100)}`, 'latin1')]],
    ['a list', 'RPUSH', ['x']],
    ['a hash', 'HSET', ['field', 'x']],
  ])('is a miss, and overwritten: %s', async (_, command, values) => {
    const [cache, another] = ground.caches() as [CacheService, CacheService];
    const { redisKey } = await cache.inspect('a');
    await ground.command(command, redisKey, ...values);
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.has('a')).toBe(false);
    expect(await cache.inspect('a')).toMatchObject({ state: 'missing' });
    expect(await cache.getMany(['a'])).toEqual([undefined]);
    const factory = new TestFactory();
    expect(await cache.getOrSet('a', factory.make)).toBe(1);
    expect(await another.getOrSet('a', factory.make)).toBe(1);
    await ground.command('DEL', redisKey);
    await ground.command(command, redisKey, ...values);
    await sleep(place.coherence === 'none' ? 40 : 0);
    await cache.set('a', 5);
    expect(await another.getOrSetEntry('a', factory.make)).toMatchObject({ value: 5 });
    await ground.command('DEL', redisKey);
    await ground.command(command, redisKey, ...values);
    await cache.expire('a');
    await cache.delete('a');
    expect(await ground.keys(redisKey)).toEqual([]);
  });

  it('is a miss where another codec wrote it', async () => {
    const json = await ground.process({ namespace: 'codecs', codec: 'json' });
    const msgpack = await ground.process({ namespace: 'codecs' });
    await json.caches.default.set('a', 'json');
    expect(await msgpack.caches.default.get('a')).toBeUndefined();
    expect(await msgpack.caches.default.getOrSet('a', () => 'msgpack')).toBe('msgpack');
    await eventually(async () => (await json.caches.default.get('a')) === undefined);
    expect(await json.caches.default.getOrSet('a', () => 'json')).toBe('json');
    expect(msgpack.log?.texts('CacheModule')).toContainEqual(
      expect.stringMatching(/^The entry of "a" cannot be read, and counts as a miss: codec 2 wrote it/),
    );
  });
});

describe.each([STANDALONE, CLUSTER])('a key with $name', (place) => {
  const ground = new Ground(place);

  it.each([' ', 'a b\n', '*[a]?\\', 'Zürich/東京', '{a}{b}', '}{', 'x'.repeat(5_000), '__proto__'])(
    'can be any text: %j',
    async (key) => {
      const [cache, another] = ground.caches() as [CacheService, CacheService];
      await cache.set(key, 1, { tags: [key] });
      expect(await another.get(key)).toBe(1);
      await another.invalidateTags(key);
      await eventually(async () => (await cache.get(key)) === undefined);
      expect(await cache.getOrSet(key, () => 2, { tags: [key] })).toBe(2);
      await another.delete(key);
      await eventually(async () => (await cache.get(key)) === undefined);
    },
  );

  it('of one cache is none of another', async () => {
    const [first, second] = [ground.cache(), ground.cache()];
    await first.set('a', 1);
    expect(await second.get('a')).toBeUndefined();
    await second.delete('a');
    expect(await first.get('a')).toBe(1);
  });
});
