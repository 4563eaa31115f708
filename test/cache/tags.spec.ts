import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { CacheService } from 'rednest';
import { eventually } from '../support/eventually.js';
import { TestFactory } from './fixtures/factories.js';
import { EVERYWHERE, Ground, SHARED } from './fixtures/topologies.js';

describe.each(EVERYWHERE)('tags with $name', (place) => {
  const ground = new Ground(place);
  const pair = (options: Parameters<Ground['caches']>[0] = {}) => {
    const [cache, another = cache] = ground.caches(options) as [CacheService, CacheService?];
    return [cache, another] as const;
  };

  it('invalidate what has them, and nothing else', async () => {
    const [cache, another] = pair();
    const [red, blue] = [ground.name(), ground.name()];
    await cache.setMany([['a', 1], ['b', 1]], { tags: [red, blue] }); // prettier-ignore
    await cache.set('c', 1, { tags: [blue] });
    await cache.set('d', 1);
    expect(await another.getMany(['a', 'b', 'c', 'd'])).toEqual([1, 1, 1, 1]);
    await cache.invalidateTags(red);
    expect(await cache.getMany(['a', 'b', 'c', 'd'])).toEqual([undefined, undefined, 1, 1]);
    await eventually(async () => (await another.get('a')) === undefined);
    expect(await another.getMany(['a', 'b', 'c', 'd'])).toEqual([undefined, undefined, 1, 1]);
    expect(await another.get('a', { stale: true })).toBeUndefined();
    await another.invalidateTags([blue, ground.name()]);
    await eventually(async () => (await cache.get('c')) === undefined);
    expect(await cache.get('d')).toBe(1);
  });

  it('invalidate in all caches of the namespace, and in no other namespace', async () => {
    const tag = ground.name();
    const [cities, pages] = [ground.cache(), ground.cache()];
    const elsewhere = (await ground.process({ namespace: 'tags' })).caches.default;
    for (const cache of [cities, pages, elsewhere]) await cache.set('a', 1, { tags: [tag] });
    expect(await pages.get('a')).toBe(1);
    await cities.invalidateTags(tag);
    expect(await cities.get('a')).toBeUndefined();
    expect(await pages.get('a')).toBeUndefined();
    expect(await elsewhere.get('a')).toBe(1);
  });

  it('leave alone what is stored afterwards, by whomever and however', async () => {
    const [cache, another] = pair();
    const tag = ground.name();
    const tags = [tag];
    for (let round = 1; round <= 3; round++) {
      await cache.invalidateTags(tag);
      await another.set('set', round, { tags });
      expect(await another.get('set')).toBe(round);
      await eventually(async () => (await cache.get('set')) === round);
      expect(await another.getOrSet('made', () => round, { tags })).toBe(round);
      expect(await another.get('made')).toBe(round);
      await eventually(async () => (await cache.get('made')) === round);
      await another.invalidateTags(tag);
      await eventually(async () => (await cache.get('made')) === undefined);
      await cache.set('set', -round, { tags });
      expect(await cache.get('set')).toBe(-round);
      await eventually(async () => (await another.get('set')) === -round);
    }
  });

  it('added by the factory count as those that the caller gave', async () => {
    const [cache, another] = pair();
    const [early, late] = [ground.name(), ground.name()];
    const make = (value: number) =>
      cache.getOrSet(
        'a',
        (context) => {
          context.tag(late, early);
          return value;
        },
        { tags: [early] },
      );
    expect(await make(1)).toBe(1);
    expect(await make(2)).toBe(1);
    expect((await another.inspect('a')).tags).toEqual([early, late]);
    await another.invalidateTags(late);
    await eventually(async () => (await cache.get('a')) === undefined);
    await cache.invalidateTags(early);
    expect(await make(3)).toBe(3);
    await cache.invalidateTags(late);
    expect(await make(4)).toBe(4);
    expect(await cache.get('a')).toBe(4);
    await eventually(async () => (await another.get('a')) === 4);
  });

  it.each([
    ['that the caller gave', false],
    ['that the factory adds', true],
  ])('%s: what was begun before they were invalidated is not served afterwards', async (_, isLate) => {
    const [cache, another] = pair();
    for (const invalidator of [cache, another]) {
      const [key, tag] = [ground.name(), ground.name()];
      const factory = new TestFactory();
      const ask = (from: CacheService) =>
        from.getOrSet<number>(
          key,
          (context) => {
            if (isLate) context.tag(tag);
            return factory.make(context);
          },
          isLate ? {} : { tags: [tag] },
        );
      factory.hold();
      const before = ask(cache);
      await eventually(() => factory.runs === 1);
      await invalidator.invalidateTags(tag);
      await sleep(100);
      const after = Promise.all([ask(cache), ask(another)]);
      await sleep(50);
      factory.release();
      expect(await before).toBe(1);
      for (const value of await after) expect(value).toBeGreaterThan(1);
      expect(await cache.get(key)).not.toBe(1);
      expect(await another.get(key)).not.toBe(1);
    }
  });

  it('added late, and read meanwhile by others: what was begun before is not served afterwards', async () => {
    const [cache, another] = pair();
    const [key, tag] = [ground.name(), ground.name()];
    const factory = new TestFactory();
    factory.hold();
    const before = cache.getOrSet(key, (context) => {
      context.tag(tag);
      return factory.make(context);
    });
    await eventually(() => factory.runs === 1);
    await another.invalidateTags(tag);
    // By this the tag's stamp is known as it is now.
    await cache.set('other', 1, { tags: [tag] });
    await eventually(async () => (await cache.get('other')) === 1);
    factory.release();
    expect(await before).toBe(1);
    expect(await cache.get(key)).toBeUndefined();
    expect(await another.get(key)).toBeUndefined();
    expect(await cache.get('other')).toBe(1);
  });

  it('invalidate what is stale, too', async () => {
    const [cache, another] = pair({ ttl: 50, stale: '1m' });
    const tag = ground.name();
    const factory = new TestFactory();
    await cache.getOrSet('a', factory.make, { tags: [tag] });
    await sleep(80);
    expect(await another.get('a', { stale: true })).toBe(1);
    await another.invalidateTags(tag);
    await eventually(async () => (await cache.get('a', { stale: true })) === undefined);
    expect(await cache.getOrSet('a', factory.make, { tags: [tag] })).toBe(2);
  });

  it('can be many, the same twice, and any text', async () => {
    const [cache, another] = pair();
    const base = ground.name();
    const tags = Array.from({ length: 200 }, (_, index) => `${base}:東京 ${index}`);
    await cache.set('a', 1, { tags: [...tags, ...tags] });
    expect(await another.get('a')).toBe(1);
    expect((await another.inspect('a')).tags).toEqual(tags);
    await another.invalidateTags([]);
    expect(await another.get('a')).toBe(1);
    await cache.getOrSet('b', () => 1, { tags: [base, base] });
    expect(await cache.get('b')).toBe(1);
    await another.invalidateTags([tags[199]!, tags[199]!]);
    await eventually(async () => (await cache.get('a')) === undefined);
  });
});

describe.each(SHARED)('a stamp in Redis with $name', (place) => {
  const ground = new Ground(place);
  const pair = () => ground.caches() as [CacheService, CacheService];
  const stampOf = (tag: string) => `app:cache:t:${tag}`;
  /** Reads as a process that has not seen anything yet. */
  const asNew = async (cache: CacheService) => {
    const { caches } = await ground.process();
    return caches.open(cache.name, {});
  };

  it.each([
    ['deleted', (key: string) => ground.command('DEL', key)],
    ['expired', (key: string) => ground.command('PEXPIRE', key, 1)],
    ['replaced by what is none', (key: string) => ground.command('SET', key, 'hello')],
  ])('that was %s makes what depends on it invalid, and never valid again', async (_, lose) => {
    const [cache, another] = pair();
    const tag = ground.name();
    const factory = new TestFactory();
    await cache.set('a', 1, { tags: [tag] });
    expect(await another.get('a')).toBe(1);
    await lose(stampOf(tag));
    const fresh = await asNew(cache);
    expect(await fresh.get('a')).toBeUndefined();
    if (place.coherence !== 'pubsub') await eventually(async () => (await another.get('a')) === undefined);
    expect(await fresh.getOrSet('b', factory.make, { tags: [tag] })).toBe(1);
    expect(await fresh.get('a')).toBeUndefined();
    expect(await fresh.getOrSet('a', () => 2, { tags: [tag] })).toBe(2);
    await fresh.invalidateTags(tag);
    expect(await fresh.get('a')).toBeUndefined();
    await eventually(async () => (await cache.get('a')) === undefined);
    expect(await fresh.getOrSet('a', () => 3, { tags: [tag] })).toBe(3);
    expect(await fresh.get('a')).toBe(3);
  });

  it('of another data type gives way to one', async () => {
    const [cache, another] = pair();
    const [first, second] = [ground.name(), ground.name()];
    await ground.command('RPUSH', stampOf(first), 'x');
    await cache.set('a', 1, { tags: [first] });
    expect(await another.get('a')).toBe(1);
    await ground.command('RPUSH', stampOf(second), 'x');
    await cache.invalidateTags(second);
    await another.set('b', 1, { tags: [second] });
    expect(await another.get('b')).toBe(1);
  });

  it('that was rolled back does not revive anything for a process that has seen a later one', async () => {
    const [cache, another] = pair();
    const tag = ground.name();
    await cache.set('old', 1, { tags: [tag] });
    const old = String(await ground.command('GET', stampOf(tag)));
    expect(await another.get('old')).toBe(1);
    await cache.invalidateTags(tag);
    await another.set('new', 1, { tags: [tag] });
    expect(await another.get('new')).toBe(1);
    expect(await another.get('old')).toBeUndefined();
    await ground.command('SET', stampOf(tag), old);
    const deadline = performance.now() + 150;
    while (performance.now() < deadline) {
      expect((await another.getMany(['old', 'new']))[0]).toBeUndefined();
      await sleep(5);
    }
    // It is moved on, so that nothing is revived for others either.
    if (place.coherence === 'pubsub') return;
    await eventually(async () => Number(await ground.command('GET', stampOf(tag))) > Number(old));
    expect(await (await asNew(cache)).get('old')).toBeUndefined();
  });

  it.each([
    ['rolled back', (key: string) => ground.command('SET', key, '1')],
    ['lost', (key: string) => ground.command('DEL', key)],
  ])(
    'that was made by a clock which was ahead, and is %s, does not keep anything from being cached',
    async (_, lose) => {
      const [cache, another] = pair();
      const tag = ground.name();
      await ground.command('SET', stampOf(tag), String((Date.now() + 3_600_000) * 1_000));
      await cache.set('old', 1, { tags: [tag] });
      for (const each of [cache, another]) expect(await each.get('old')).toBe(1);
      await lose(stampOf(tag));
      await eventually(async () => {
        await cache.getOrSet('new', () => 1, { tags: [tag] });
        for (const each of [cache, another]) expect(await each.get('new')).toBe(1);
      });
      if (place.coherence === 'pubsub') return;
      for (const each of [cache, another]) expect(await each.get('old')).toBeUndefined();
    },
  );

  it('outlives what depends on it', async () => {
    const [cache] = pair();
    const [early, late, set] = [ground.name(), ground.name(), ground.name()];
    const hour = 3_600_000;
    await cache.getOrSet(
      'a',
      (context) => {
        context.tag(late);
        context.ttl('50h');
        context.staleFor('50h');
        return 1;
      },
      { tags: [early] },
    );
    await cache.set('b', 1, { tags: [set], ttl: '200h' });
    for (const [tag, life] of [
      [early, 100],
      [late, 100],
      [set, 200],
    ] as const)
      // prettier-ignore
      expect(await ground.command('PTTL', stampOf(tag))).toBeGreaterThanOrEqual(life * hour - 1_000);
    expect(await ground.command('PTTL', `app:cache:g:${cache.name}`)).toBeGreaterThanOrEqual(199 * hour);
    await cache.invalidateTags(set);
    expect(await ground.command('PTTL', stampOf(set))).toBeGreaterThan(199 * hour);
    await cache.set('c', 1, { tags: [set], ttl: 1_000 });
    expect(await ground.command('PTTL', stampOf(set))).toBeGreaterThan(199 * hour);
  });
});

describe.each(SHARED)('tags whose stamps are all evicted with $name', (place) => {
  const ground = new Ground(place);

  it('are those of invalid entries', async () => {
    const [cache, another] = ground.caches() as [CacheService, CacheService];
    const tag = ground.name();
    await cache.setMany([['a', 1], ['b', 2]], { tags: [tag] }); // prettier-ignore
    for (const key of await ground.keys('app:cache:[tg]:*')) await ground.command('DEL', key);
    const { caches } = await ground.process();
    const fresh = caches.open(cache.name, {});
    expect(await fresh.getMany(['a', 'b'])).toEqual([undefined, undefined]);
    await fresh.set('c', 3, { tags: [tag] });
    expect(await fresh.getMany(['a', 'b', 'c'])).toEqual([undefined, undefined, 3]);
    if (place.coherence === 'pubsub') return;
    await eventually(async () => (await another.getMany(['a', 'b'])).every((value) => value === undefined));
    expect(await another.get('c')).toBe(3);
  });
});
