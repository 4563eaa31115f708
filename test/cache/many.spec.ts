import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CacheFactoryTimeoutError, type CacheService, type CacheManyFactory } from 'rednest';
import { eventually } from '../support/eventually.js';
import { TestFactory } from './fixtures/factories.js';
import { EVERYWHERE, Ground } from './fixtures/topologies.js';

/** Gives each key its name and the number of the run; keeps what it was asked for. */
class TestLoader {
  readonly asked: string[][] = [];
  readonly #missing: readonly string[];

  constructor(missing: readonly string[] = []) {
    this.#missing = missing;
  }

  readonly load: CacheManyFactory<string> = async (keys) => {
    this.asked.push(keys);
    const run = this.asked.length;
    const known = keys.filter((key) => !this.#missing.includes(key));
    return new Map(known.map((key) => [key, `${key}${run}`]));
  };
}

describe.each(EVERYWHERE)('many keys with $name', (place) => {
  const ground = new Ground(place);
  const pair = (options: Parameters<Ground['caches']>[0] = {}) => {
    const [cache, another = cache] = ground.caches(options) as [CacheService, CacheService?];
    return [cache, another] as const;
  };
  /** In one slot, where there is a Cluster: they are then made together. */
  const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `{x}${index}`);

  it('are found in the order in which they were asked for, the same ones repeatedly', async () => {
    const [cache, another] = pair();
    await cache.setMany(new Map([['a', 1], ['b', 2], ['c', 3]])); // prettier-ignore
    expect(await another.getMany(['c', 'x', 'a', 'c', 'b', 'a'])).toEqual([3, undefined, 1, 3, 2, 1]);
    expect(await another.getMany(['c', 'x', 'a', 'c', 'b', 'a'])).toEqual([3, undefined, 1, 3, 2, 1]);
    expect(await another.getMany(['b'])).toEqual([2]);
  });

  it('can be none', async () => {
    const [cache] = pair();
    const loader = new TestLoader();
    expect(await cache.getMany([])).toEqual([]);
    expect(await cache.getOrSetMany([], loader.load)).toEqual([]);
    await cache.setMany([]);
    await cache.delete([]);
    await cache.expire([]);
    await cache.invalidateTags([]);
    await cache.warm([], loader.load);
    expect(loader.asked).toEqual([]);
  });

  it('are stored together, with tags and a ttl, the last of the same key', async () => {
    const [cache, another] = pair();
    const tag = ground.name();
    function* entries(): Generator<readonly [string, unknown]> {
      yield ['a', 1];
      yield ['b', undefined];
      yield ['a', 2];
    }
    await cache.setMany(entries(), { tags: [tag], ttl: '2h' });
    expect(await another.getMany(['a', 'b'])).toEqual([2, undefined]);
    expect(await another.has('b')).toBe(true);
    const { tags, freshFor = 0 } = await another.inspect('a');
    expect(tags).toEqual([tag]);
    expect(freshFor / 3_600_000).toBeCloseTo(2, 1);
    await another.invalidateTags(tag);
    await eventually(async () => !(await cache.has('b')));
    expect(await cache.getMany(['a', 'b'])).toEqual([undefined, undefined]);
  });

  it('are made by one call of the factory for those that are missing', async () => {
    const [cache, another] = pair();
    const keys = keysOf(20);
    await cache.set(keys[3]!, 'known');
    const loader = new TestLoader();
    const expected = keys.map((key) => (key === keys[3] ? 'known' : `${key}1`));
    expect(await cache.getOrSetMany([...keys, keys[0]!], loader.load)).toEqual([...expected, `${keys[0]}1`]);
    expect(loader.asked).toEqual([keys.filter((key) => key !== keys[3])]);
    expect(await another.getOrSetMany(keys, loader.load)).toEqual(expected);
    expect(await cache.getMany(keys)).toEqual(expected);
    expect(loader.asked).toHaveLength(1);
  });

  it('are each made once where they lie in different slots', async () => {
    const [cache, another] = pair();
    const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);
    const loader = new TestLoader();
    const [first, second] = await Promise.all([
      cache.getOrSetMany(keys, loader.load),
      another.getOrSetMany(keys, loader.load),
    ]);
    expect(second).toEqual(first);
    expect(loader.asked.flat().toSorted()).toEqual(keys.toSorted());
  });

  it('that the factory leaves out have no value, and nothing is stored for them', async () => {
    const [cache, another] = pair();
    const loader = new TestLoader(['{x}1']);
    expect(await cache.getOrSetMany(keysOf(3), loader.load)).toEqual(['{x}01', undefined, '{x}21']);
    expect(await another.has('{x}1')).toBe(false);
    await eventually(async () => !(await another.inspect('{x}1')).leased);
    expect(await another.getOrSetMany(keysOf(3), loader.load)).toEqual(['{x}01', undefined, '{x}21']);
    expect(loader.asked).toEqual([keysOf(3), ['{x}1']]);
  });

  it('may have null and undefined as values', async () => {
    const [cache, another] = pair();
    const load = () => new Map([['{x}0', null], ['{x}1', undefined]]); // prettier-ignore
    expect(await cache.getOrSetMany<unknown>(keysOf(2), load)).toEqual([null, undefined]);
    const loader = new TestLoader();
    expect(await another.getOrSetMany<unknown>(keysOf(2), loader.load)).toEqual([null, undefined]);
    expect(loader.asked).toEqual([]);
  });

  it('are refused together where the factory fails or gives no Map, and can be made afterwards', async () => {
    const [cache, another] = pair();
    const failing = () => Promise.reject(new Error('the database is away'));
    await cache.set('{x}0', 'known');
    await expect(cache.getOrSetMany(keysOf(3), failing)).rejects.toThrow('the database is away');
    const wrong: unknown[] = [undefined, null, {}, ['a'], 'text'];
    for (const value of wrong)
      await expect(cache.getOrSetMany(keysOf(3), () => value as never)).rejects.toThrow(
        /The factory of many values gave .*, which is not a Map/,
      );
    const throwing = (): never => {
      throw new RangeError('at once');
    };
    await expect(cache.getOrSetMany(keysOf(3), throwing)).rejects.toThrow('at once');
    const loader = new TestLoader();
    expect(await another.getOrSetMany(keysOf(3), loader.load)).toEqual(['known', '{x}11', '{x}21']);
  });

  it('are waited for no longer than the hard timeout', async () => {
    const [cache] = pair();
    const late = async (keys: string[]) => {
      await sleep(250);
      return new Map(keys.map((key) => [key, key]));
    };
    const error: unknown = await cache
      .getOrSetMany(keysOf(2), late, { hardTimeout: 50 })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CacheFactoryTimeoutError);
    await eventually(async () => (await cache.getMany(keysOf(2))).join() === '{x}0,{x}1');
  });

  it('can be fresh, stale, gone and being made elsewhere at the same time', async () => {
    const [cache, another] = pair({ stale: '1m' });
    const [fresh, stale, gone, elsewhere] = keysOf(4) as [string, string, string, string];
    await cache.set(gone, 'gone', { ttl: 50, stale: 0 });
    await cache.set(stale, 'stale', { ttl: 50 });
    await cache.set(fresh, 'fresh');
    await sleep(80);
    const factory = new TestFactory();
    factory.hold();
    const making = another.getOrSet(elsewhere, factory.make);
    await eventually(() => factory.runs === 1);
    const loader = new TestLoader();
    const values = cache.getOrSetMany<unknown>([elsewhere, gone, stale, fresh], loader.load);
    await eventually(() => loader.asked.length > 0);
    await sleep(50);
    factory.release();
    expect(await values).toEqual([1, `${gone}1`, 'stale', 'fresh']);
    expect(await making).toBe(1);
    expect(loader.asked.flat().toSorted()).toEqual([gone, stale].toSorted());
    await eventually(async () => (await cache.get(stale)) === `${stale}1`);
  });

  it('can be more than one command takes', async () => {
    const { caches } = await ground.process({ namespace: ground.name(), batchSize: 7 });
    const cache = caches.default;
    const keys = keysOf(60);
    await cache.setMany(keys.map((key, index) => [key, index]), { tags: ['t'] }); // prettier-ignore
    expect(await cache.getMany(keys)).toEqual(keys.map((_, index) => index));
    await cache.delete(keys.slice(0, 30));
    await cache.expire(keys.slice(30, 40));
    const left = [...keys.slice(0, 40).map(() => undefined), ...keys.slice(40).map((_, index) => index + 40)];
    expect(await cache.getMany(keys)).toEqual(left);
    const loader = new TestLoader();
    const made = await cache.getOrSetMany<unknown>(keys, loader.load);
    expect(made).toHaveLength(60);
    expect(loader.asked.flat().toSorted()).toEqual(keys.slice(0, 40).toSorted());
    expect(await cache.getMany(keys)).toEqual(made);
    const tags = Array.from({ length: 30 }, (_, index) => `t${index}`);
    await cache.set('tagged', 1, { tags });
    expect(await cache.get('tagged')).toBe(1);
    await cache.invalidateTags(tags);
    expect(await cache.get('tagged')).toBeUndefined();
  });
});
