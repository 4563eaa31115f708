import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { NotFoundException } from '@nestjs/common';
import type { CacheService } from 'rednest';
import { eventually } from '../support/eventually.js';
import type { MemoryReport, MemoryScenario } from './fixtures/memory-process.js';
import { EVERYWHERE, Ground, LOCAL_ONLY, SHARED } from './fixtures/topologies.js';

interface City {
  name: string;
  at: { latitude: number };
  streets: string[];
}

const city = (): City => ({ name: 'Zürich', at: { latitude: 47 }, streets: ['Langstrasse'] });

/** Brings a key into the local tier, and sees to it that it stays. */
async function settle(cache: CacheService, key: string): Promise<void> {
  await eventually(async () => {
    await cache.get(key, { stale: true });
    return (await cache.inspect(key)).local;
  });
}

describe.each(EVERYWHERE)('the local tier with $name', (place) => {
  const ground = new Ground(place);
  const open = (values: 'shared' | 'cloned' | 'frozen') =>
    ground.cache({ local: { values, maxAge: '1m' }, ttl: '1m', stale: '1m' });

  it('gives the same object each time by default', async () => {
    const cache = open('shared');
    await cache.set('a', city());
    await settle(cache, 'a');
    const first = await cache.get<City>('a');
    expect(await cache.getOrSet('a', city)).toBe(first);
    expect((await cache.getMany(['a']))[0]).toBe(first);
  });

  it('gives copies when it shall, in every way', async () => {
    const cache = open('cloned');
    await cache.set('a', city());
    const spoil = (value: City | undefined): void => {
      expect(value).toEqual(city());
      value!.at.latitude = 0;
      value!.streets.length = 0;
    };
    spoil(await cache.get('a'));
    await settle(cache, 'a');
    for (let call = 0; call < 2; call++) {
      spoil(await cache.get('a'));
      spoil(await cache.getOrSet('a', city));
      spoil((await cache.getOrSetEntry('a', city)).value);
      for (const value of await cache.getMany<City>(['a', 'a'])) spoil(value);
      for (const value of await cache.getOrSetMany(['a'], () => new Map([['a', city()]]))) spoil(value);
      await cache.expire('a');
      spoil(await cache.get('a', { stale: true }));
      let stale: City | undefined;
      const make = (context: { stale: unknown }): never => {
        stale = context.stale as City;
        spoil(stale);
        throw new Error('away');
      };
      spoil(await cache.getOrSet<City>('a', make, { softTimeout: '5s' }));
      expect(stale).toBeDefined();
      await cache.set('a', city());
    }
  });

  it('gives frozen objects when it shall, also those that have just come from Redis', async () => {
    const cache = open('frozen');
    await cache.set('a', city());
    const values = [await cache.get<City>('a')];
    await settle(cache, 'a');
    values.push(await cache.get<City>('a'), await cache.getOrSet('a', city));
    values.push(...(await cache.getMany<City>(['a'])));
    await cache.expire('a');
    values.push(await cache.get<City>('a', { stale: true }));
    for (const value of values) {
      expect(value).toEqual(city());
      expect(() => (value!.at.latitude = 0)).toThrow(TypeError);
      expect(() => value!.streets.push('x')).toThrow(TypeError);
      expect(() => (value!.name = 'x')).toThrow(TypeError);
    }
    const failing = () => Promise.reject(new NotFoundException());
    const ask = () => cache.getOrSet('b', failing, { errors: { ttl: '1m' } }).catch((error: Error) => error);
    await ask();
    const again = await ask();
    expect(Object.isFrozen(again)).toBe(false);
  });

  it('shares nothing with who stores a value', async () => {
    const cache = open('shared');
    const value = city();
    await cache.set('a', value);
    value.name = 'changed';
    expect(await cache.get('a')).toEqual(city());
    const made = city();
    await cache.getOrSet('b', () => made);
    made.streets.push('changed');
    expect(await cache.get('b')).toEqual(city());
  });

  it('holds no more than it may, the latest used ones', async () => {
    const cache = ground.cache({ local: { maxEntries: 10, maxAge: '1m' } });
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}`);
    for (const key of keys) {
      await cache.set(key, key);
      await settle(cache, key);
      await cache.get('k0');
    }
    expect(cache.stats().localEntries).toBe(10);
    expect((await cache.inspect('k0')).local).toBe(true);
    expect(await cache.get('k29')).toBe('k29');
    if (place.start) expect(await cache.getMany(keys)).toEqual(keys);
  });

  it('holds no more bytes than it may, and nothing that is larger by itself', async () => {
    const cache = ground.cache({ local: { maxBytes: '20kb', maxAge: '1m' } });
    for (let index = 0; index < 30; index++) {
      await cache.set(`k${index}`, 'x'.repeat(3_000));
      await cache.get(`k${index}`);
      expect(cache.stats().localBytes).toBeLessThanOrEqual(20 * 1_024);
    }
    expect(cache.stats().localEntries).toBeGreaterThan(0);
    const before = cache.stats().localEntries;
    const large = 'x'.repeat(50_000);
    await cache.set('large', large);
    expect(await cache.get('large')).toBe(place === LOCAL_ONLY ? undefined : large);
    expect(cache.stats().localEntries).toBeLessThanOrEqual(before);
  });

  it('measures what is compressed by what it takes here', async () => {
    const cache = ground.cache({ compression: 'gzip', local: { maxAge: '1m' } });
    await cache.set('a', 'x'.repeat(100_000));
    await settle(cache, 'a');
    expect(cache.stats().localBytes).toBeGreaterThan(100_000);
    expect((await cache.inspect('a')).size).toBeLessThan(1_000);
  });

  it('that shall give copies of what cannot be copied rejects', async () => {
    const codec = { id: 200, encode: () => Buffer.from('x'), decode: () => () => 1 };
    const cache = ground.cache({ codec, local: { values: 'cloned', maxAge: '1m' } });
    await cache.set('a', 1);
    await eventually(async () => {
      await cache.get('a').catch(() => undefined);
      return (await cache.inspect('a')).local;
    });
    const calls = [
      () => cache.get('a'),
      () => cache.getOrSet('a', () => 1),
      () => cache.getOrSetEntry('a', () => 1),
      () => cache.getMany(['a']),
    ];
    for (const call of calls) {
      const asking: Promise<unknown> = call();
      await expect(asking).rejects.toThrow('could not be cloned');
    }
  });

  it('is not filled by a look at a key', async () => {
    const [cache, another = cache] = ground.caches() as [CacheService, CacheService?];
    await cache.set('a', 1);
    for (let look = 0; look < 2; look++)
      expect(await another.inspect('a')).toMatchObject({ state: 'fresh', local: !place.start });
    expect(another.stats().localEntries).toBe(place.start ? 0 : 1);
  });

  it('can be left out', async () => {
    const cache = ground.cache({ local: false });
    await cache.set('a', 1);
    expect(await cache.get('a')).toBe(place.start ? 1 : undefined);
    expect(await cache.getOrSet('a', () => 2)).toBe(place.start ? 1 : 2);
    expect(cache.stats()).toMatchObject({ localEntries: 0, localBytes: 0, localHits: 0 });
  });
});

describe.each(SHARED)('maxAge with $name', (place) => {
  const ground = new Ground(place);

  it('is how long an entry is believed without asking again', async () => {
    const cache = ground.cache({ local: { maxAge: 300 } });
    await cache.set('a', 1, { tags: ['t'] });
    await settle(cache, 'a');
    const { localHits } = cache.stats();
    await cache.get('a');
    expect(cache.stats().localHits).toBe(localHits + 1);
    await sleep(350);
    const { redisHits } = cache.stats();
    expect(await cache.get('a')).toBe(1);
    expect(cache.stats().redisHits).toBe(redisHits + 1);
  });
});

describe('maxAge where there is no Redis', () => {
  const ground = new Ground(LOCAL_ONLY);

  it('means nothing: there is nobody to ask', async () => {
    const cache = ground.cache({ local: { maxAge: 50 } });
    await cache.set('a', 1);
    await sleep(80);
    expect(await cache.get('a')).toBe(1);
  });
});

describe('the memory of a process', () => {
  const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

  const maxBytes = 16 * 1_024 * 1_024;
  let reports: MemoryReport[];

  beforeAll(async () => {
    const scenarios: MemoryScenario[] = [
      { keys: 1_000_000, local: { maxEntries: 5_000 }, tags: 0 },
      { keys: 100_000, local: { maxEntries: 2_000 }, tags: 3 },
      { keys: 30_000, local: { maxEntries: 100_000, maxBytes }, tags: 3 },
    ];
    // In a heap that could not hold everything.
    const flags = ['--expose-gc', '--max-old-space-size=64'];
    const loader = ['--import', pathOf('../redis/fixtures/typescript.mjs')];
    const parameters = [...loader, pathOf('fixtures/memory-process.ts'), JSON.stringify(scenarios)];
    const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' };
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...parameters], { env });
    reports = JSON.parse(stdout) as MemoryReport[];
  }, 180_000);

  it('stays within the bound of entries under a million distinct keys', () => {
    const [{ entries, heap }] = reports as [MemoryReport];
    expect(entries).toBe(5_000);
    expect(heap).toBeLessThan(8e6);
  });

  it('stays within it also where each has tags of its own', () => {
    const { entries, heap } = reports[1]!;
    expect(entries).toBe(2_000);
    expect(heap).toBeLessThan(12e6);
  });

  it('stays within the bound of bytes, which is about what they take', () => {
    const { bytes, heap } = reports[2]!;
    expect(bytes).toBeLessThanOrEqual(maxBytes);
    expect(bytes).toBeGreaterThan(maxBytes * 0.9);
    expect(heap).toBeLessThan(maxBytes * 1.5);
  });
});
