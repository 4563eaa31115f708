import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { arrival, openInstance, SlowFactory } from './fixtures/coherent.js';
import { Legs } from './fixtures/coherent-legs.js';

const opened = new Opened();
const KEY = 'app:cache:e:default:city';
const MODES = ['tracking', 'pubsub'] as const;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await (await server.admin()).flushall();
});

describe('nobody joins what is older than an invalidation', () => {
  it.each(MODES)('of a tag, by the same process (%s)', async (coherence) => {
    const { cache } = await openInstance(opened, server.options, { coherence });
    const old = new SlowFactory<string>();
    const first = cache.getOrSet('city', old.make, { tags: ['cities'] });
    await old.begun;
    await arrival();
    await cache.invalidateTags('cities');
    const second = cache.getOrSet('city', () => 'new', { tags: ['cities'] });
    await arrival();
    old.give('old');
    expect(await first).toBe('old');
    expect(await second).toBe('new');
    expect(await cache.getOrSet('city', () => 'newer', { tags: ['cities'] })).toBe('new');
  });

  it.each(MODES)('of a tag, by another process (%s)', async (coherence) => {
    const { cache } = await openInstance(opened, server.options, { coherence });
    const other = await openInstance(opened, server.options, { coherence });
    const old = new SlowFactory<string>();
    const first = cache.getOrSet('city', old.make, { tags: ['cities'] });
    await old.begun;
    await arrival();
    await other.cache.invalidateTags('cities');
    await arrival();
    const second = cache.getOrSet('city', () => 'new', { tags: ['cities'] });
    await arrival();
    old.give('old');
    expect(await first).toBe('old');
    expect(await second).toBe('new');
  });

  it.each(MODES)('of all, by another process (%s)', async (coherence) => {
    const { cache } = await openInstance(opened, server.options, { coherence });
    const other = await openInstance(opened, server.options, { coherence });
    const old = new SlowFactory<string>();
    const first = cache.getOrSet('city', old.make);
    await old.begun;
    await other.cache.invalidateTags('unrelated');
    await other.cache.clear();
    await arrival();
    const second = cache.getOrSet('city', () => 'new');
    await arrival();
    old.give('old');
    expect(await first).toBe('old');
    expect(await second).toBe('new');
  });

  it.each(MODES)('of a tag that the factory names itself, by another process (%s)', async (coherence) => {
    const { cache } = await openInstance(opened, server.options, { coherence });
    const other = await openInstance(opened, server.options, { coherence });
    await other.cache.invalidateTags('cities');
    const old = new SlowFactory<string>();
    const first = cache.getOrSet('city', async (context) => {
      const value = await old.make();
      context.tag('cities');
      return value;
    });
    await old.begun;
    await other.cache.invalidateTags('cities');
    await arrival();
    const second = cache.getOrSet('city', () => 'new');
    await arrival();
    old.give('old');
    expect(await first).toBe('old');
    expect(await second).toBe('new');
  });

  it('although its value is about to be stored', async () => {
    const legs = opened.add(await Legs.start(server));
    const { cache } = await openInstance(opened, legs.optionsFor(server.options));
    const old = new SlowFactory<string>();
    const first = cache.getOrSet('city', old.make);
    await old.begun;
    await (await server.admin()).del(KEY);
    await arrival();
    legs.hold('data');
    old.give('old');
    await eventually(() => legs.heldBytes('data') > 0);
    const second = cache.getOrSet('city', () => 'new');
    await arrival();
    legs.release('data');
    expect(await first).toBe('old');
    expect(await second).toBe('new');
  });

  it('although another has just found that its lease stood', async () => {
    const legs = opened.add(await Legs.start(server));
    const { cache } = await openInstance(opened, legs.optionsFor(server.options));
    const old = new SlowFactory<string>();
    const first = cache.getOrSet('city', old.make);
    await old.begun;
    await arrival();
    legs.hold('data');
    const second = cache.getOrSet('city', () => 'new');
    await eventually(() => legs.heldBytes('data') > 0);
    await (await server.admin()).del(KEY);
    await arrival();
    legs.release('data');
    await arrival();
    const third = cache.getOrSet('city', () => 'new');
    await arrival();
    old.give('old');
    await Promise.all([first, second]);
    expect(await third).toBe('new');
  });

  it('nor what another process has made, while that is being read', async () => {
    const legs = opened.add(await Legs.start(server));
    const { cache } = await openInstance(opened, legs.optionsFor(server.options));
    const other = await openInstance(opened, server.options);
    const old = new SlowFactory<string>();
    const making = other.cache.getOrSet('city', old.make);
    await old.begun;
    const first = cache.getOrSet('city', () => 'unused');
    await arrival();
    legs.hold('data');
    old.give('old');
    expect(await making).toBe('old');
    await eventually(() => legs.heldBytes('data') > 0);
    await (await server.admin()).del(KEY);
    await arrival();
    const second = cache.getOrSet('city', () => 'new');
    await arrival();
    legs.release('data');
    await first;
    expect(await second).toBe('new');
  });

  it('where there is no Redis, and a newer factory has overtaken it', async () => {
    const { Caches } = await import('../../src/cache/caches.js');
    const caches = new Caches({ namespace: 'app', ttl: '1m' }, undefined);
    const old = new SlowFactory<string>();
    const newer = new SlowFactory<string>();
    const first = caches.default.getOrSet('city', old.make);
    await old.begun;
    const second = caches.default.getOrSet('city', newer.make, { forceRefresh: true });
    await newer.begun;
    newer.give('newer');
    await second;
    await caches.default.delete('city');
    old.give('old');
    await first;
    expect(await caches.default.get('city')).toBeUndefined();
    await caches.stop();
  });
});

describe('a tag that a factory names after it has read', () => {
  it.each(MODES)(
    'voids its value where it was invalidated meanwhile, and read here since (%s)',
    async (coherence) => {
      const { cache } = await openInstance(opened, server.options, { coherence });
      const other = await openInstance(opened, server.options, { coherence });
      await cache.set('neighbour', 'here', { tags: ['cities'] });
      expect(await cache.get('neighbour')).toBe('here');
      const old = new SlowFactory<string>();
      const first = cache.getOrSet('city', async (context) => {
        const value = await old.make();
        context.tag('cities');
        return value;
      });
      await old.begun;
      await other.cache.invalidateTags('cities');
      await other.cache.set('neighbour', 'there', { tags: ['cities'] });
      await arrival();
      expect(await cache.get('neighbour')).toBe('there');
      old.give('old');
      expect(await first).toBe('old');
      expect(await cache.get('city')).toBeUndefined();
      expect(await other.cache.get('city')).toBeUndefined();
    },
  );
});
