import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { cacheChannel, type CacheEvents, type CacheService } from 'rednest';
import { eventually } from '../support/eventually.js';
import { killClients } from '../support/server-view.js';
import { TestFactory } from './fixtures/factories.js';
import { EVERYWHERE, Ground, STANDALONE } from './fixtures/topologies.js';

type Kind = keyof CacheEvents;

const KINDS: readonly Kind[] = [
  'hit',
  'miss',
  'stale',
  'refresh',
  'store',
  'evict',
  'invalidate',
  'error',
  'coherence-lost',
  'coherence-regained',
];

const endings: (() => void)[] = [];

afterEach(() => {
  for (const end of endings.splice(0)) end();
});

/** Keeps what is told of, with the kind of each event, of one cache where that is given. */
function listen({ name }: { name?: string } = {}) {
  const events: Record<string, unknown>[] = [];
  for (const kind of KINDS) {
    const receive = (message: unknown): void => {
      const event = message as Record<string, unknown>;
      if (name === undefined || event['cache'] === name) events.push({ kind, ...event });
    };
    subscribe(cacheChannel(kind), receive);
    endings.push(() => void unsubscribe(cacheChannel(kind), receive));
  }
  return { events, of: (kind: Kind) => events.filter((event) => event['kind'] === kind) };
}

describe.each(EVERYWHERE)('events with $name', (place) => {
  const ground = new Ground(place);
  const open = (options: Parameters<Ground['caches']>[0] = {}) => {
    const [cache, another = cache] = ground.caches(options) as [CacheService, CacheService?];
    const identity = {
      namespace: 'app',
      cache: cache.name,
      connectionId: place.start ? expect.any(String) : undefined,
    };
    return { cache, another, identity, ...listen(cache) };
  };

  it('tell of a miss, of what is stored, and of hits', async () => {
    const { cache, identity, events, of } = open({ local: { maxAge: '1m' } });
    await cache.get('a');
    await cache.getOrSet('a', () => 1);
    await eventually(() => of('store').length === 1);
    await eventually(async () => {
      await cache.get('a');
      return of('hit').some((event) => event['tier'] === 'local');
    });
    if (place.start) {
      await cache.set('b', 1);
      await cache.get('b');
      expect(of('hit').at(-1)).toEqual({ kind: 'hit', ...identity, key: 'b', tier: 'redis' });
    }
    expect(events.slice(0, 3)).toEqual([
      { kind: 'miss', ...identity, key: 'a' },
      { kind: 'miss', ...identity, key: 'a' },
      { kind: 'store', ...identity, key: 'a', bytes: expect.any(Number) },
    ]);
    expect(of('hit')).toContainEqual({ kind: 'hit', ...identity, key: 'a', tier: 'local' });
    expect(of('store')[0]!['bytes']).toBeGreaterThan(68);
  });

  it('tell of what is stale and refreshed, and of what fails', async () => {
    const { cache, identity, of } = open({ ttl: 50, stale: '1m', softTimeout: '5s', refreshRetry: 0 });
    const factory = new TestFactory();
    await cache.getOrSet('a', factory.make);
    await sleep(80);
    const error = new Error('the database is away');
    factory.failure = error;
    expect(await cache.getOrSet('a', factory.make)).toBe(1);
    expect(of('refresh')).toEqual([{ kind: 'refresh', ...identity, key: 'a' }]);
    expect(of('stale')).toEqual([{ kind: 'stale', ...identity, key: 'a' }]);
    expect(of('error')).toEqual([{ kind: 'error', ...identity, operation: 'factory', key: 'a', error }]);
    factory.failure = undefined;
    await cache.get('a', { stale: true });
    expect(of('stale')).toHaveLength(2);
    const unencodable = () => 1n;
    const json = open({ codec: 'json' });
    await json.cache.getOrSet('b', unencodable);
    expect(json.of('error')).toEqual([
      { kind: 'error', ...json.identity, operation: 'store', key: 'b', error: expect.any(Error) },
    ]);
    expect(json.cache.stats().errors).toBe(1);
  });

  it('tell of what is invalidated', async () => {
    const { cache, identity, events } = open();
    await cache.delete('a');
    await cache.expire(['a', 'b']);
    await cache.invalidateTags(['red', 'blue']);
    await cache.clear();
    expect(events).toEqual([
      { kind: 'invalidate', ...identity, keys: ['a'] },
      { kind: 'invalidate', ...identity, keys: ['a', 'b'] },
      { kind: 'invalidate', ...identity, tags: ['red', 'blue'] },
      { kind: 'invalidate', ...identity, everything: true },
    ]);
    expect(cache.stats().invalidations).toBe(4);
  });

  it('tell of what is removed by maintenance', async () => {
    const { cache, identity, of } = open();
    await cache.setMany([['a1', 1], ['b1', 1]]); // prettier-ignore
    expect(await cache.deleteByPattern('a*')).toBe(1);
    expect(of('invalidate')).toEqual([{ kind: 'invalidate', ...identity, keys: ['a1'] }]);
    await sleep(20);
    expect(await cache.sweep({ olderThan: 10 })).toBe(1);
    expect(of('invalidate').slice(1)).toEqual([{ kind: 'invalidate', ...identity, keys: ['b1'] }]);
    expect(cache.stats().invalidations).toBe(2);
    await cache.clear();
    expect(of('invalidate').slice(2)).toEqual([{ kind: 'invalidate', ...identity, everything: true }]);
  });

  it('tell of what had to make room', async () => {
    const { cache, identity, of } = open({ local: { maxEntries: 2 } });
    for (const key of ['a', 'b', 'c']) {
      await cache.set(key, key);
      await eventually(async () => {
        await cache.get(key);
        return (await cache.inspect(key)).local;
      });
    }
    expect(of('evict').length).toBeGreaterThanOrEqual(1);
    expect(of('evict')[0]).toEqual({ kind: 'evict', ...identity, key: 'a' });
    expect(cache.stats().localEntries).toBe(2);
    expect(cache.stats().evictions).toBe(of('evict').length);
  });
});

describe('events of coherence', () => {
  const ground = new Ground(STANDALONE);

  it('tell when changes are no longer told of, and when they are again', async () => {
    const { caches } = await ground.process({ namespace: 'coherence' });
    const { events, of } = listen();
    const [server] = await ground.masters();
    await killClients(server!, ':listener');
    const own = () => events.filter((event) => event['namespace'] === 'coherence');
    await eventually(() => own().length === 2);
    expect(own()).toEqual([
      { kind: 'coherence-lost', namespace: 'coherence', connectionId: expect.any(String) },
      { kind: 'coherence-regained', namespace: 'coherence', connectionId: expect.any(String) },
    ]);
    expect(of('coherence-lost').length).toBeGreaterThanOrEqual(1);
    await eventually(() => caches.default.stats().coherent);
  });
});
