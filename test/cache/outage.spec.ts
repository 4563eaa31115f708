import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { CacheRootOptions, CacheService } from 'rednest';
import { FaultProxy, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { makeUnableToSave, SAVING_CONFIG } from '../support/unable-to-save.js';
import { startLoadable, startLoading } from '../redis/fixtures/slow-loading.js';
import {
  expectToldInTurn,
  outages,
  startReplica,
  untilAway,
  untilBack,
  untilLocal,
} from './fixtures/replica.js';
import { Traffic } from './fixtures/traffic.js';

const opened = new Opened();

/** The default. */
const BUDGET = 50;

/** What a busy machine may add to the time of a request, in milliseconds. */
const MARGIN = 400;

/** Survives what happens to the server. */
const PERSISTENT = { config: { appendonly: 'yes', appendfsync: 'always' } };

interface Outage {
  begin(): unknown;
  end(): unknown;
}

/** What can happen to Redis, or to the way there. */
const OUTAGES: [string, (server: RedisServer, proxy: FaultProxy) => Outage][] = [
  ['killed', (server) => ({ begin: () => server.kill(), end: () => server.restart() })],
  ['paused', (server) => ({ begin: () => server.pause(), end: () => server.resume() })],
  [
    'unreachable',
    (_, proxy) => ({
      begin() {
        proxy.refuse();
        proxy.cut();
      },
      end: () => proxy.restore(),
    }),
  ],
  [
    'in a black hole',
    (_, proxy) => ({
      begin: () => proxy.swallow(),
      async end() {
        await proxy.restore();
        proxy.cut();
      },
    }),
  ],
];

/** A server, and a proxy in front of it. */
async function start() {
  const server = await opened.server(PERSISTENT);
  const proxy = opened.add(await FaultProxy.start(server));
  return { server, proxy, options: proxy.optionsFor(server.options) };
}

describe.each(OUTAGES)('Redis %s in the middle of traffic', (_, outageOf) => {
  it.each<[string, Partial<CacheRootOptions>]>([
    ['with a local tier', {}],
    ['without one', { local: false }],
  ])('fails no request, and holds none up for longer than the budget: %s', async (__, cacheOptions) => {
    const { server, proxy, options } = await start();
    const replica = await startReplica(opened, options, { ...cacheOptions, ttl: 200 });
    const traffic = new Traffic(replica.cache);
    await sleep(300);
    // On a busy machine Redis may have been too slow for the first of them.
    await untilBack(replica);
    const outage = outageOf(server, proxy);
    const from = performance.now();
    await outage.begin();
    // The traffic asks.
    await eventually(() => !replica.cache.stats().available);
    const blocked = performance.now();
    await sleep(500);
    const to = performance.now();
    await outage.end();
    await untilBack(replica);
    await sleep(200);
    await traffic.stop();

    const all = traffic.between(0, Infinity);
    expect(all.failures).toEqual([]);
    expect(all.slowerThan(BUDGET + MARGIN)).toBe(0);
    expect(blocked - from).toBeLessThan(BUDGET * 3 + MARGIN);
    const meanwhile = traffic.between(blocked, to);
    expect(meanwhile.count).toBeGreaterThan(20);
    expect(meanwhile.median).toBeLessThan(10);
    expect(meanwhile.slowerThan(BUDGET)).toBeLessThanOrEqual(meanwhile.count / 20);
    expectToldInTurn(replica);
    await eventually(async () => {
      await replica.cache.set('after', 'cached');
      expect(await (await server.admin()).exists('app:cache:e:default:after')).toBe(1);
    });
  });

  it('does not bring back what was replaced meanwhile', async () => {
    const { server, proxy, options } = await start();
    const replica = await startReplica(opened, options);
    expect(await replica.cache.getOrSet('a', () => 'old')).toBe('old');
    const outage = outageOf(server, proxy);
    await outage.begin();
    await untilAway(replica);
    expect(await replica.cache.getOrSet('a', () => 'new', { forceRefresh: true })).toBe('new');
    expect(await replica.cache.get('a')).not.toBe('old');
    await outage.end();
    await untilBack(replica);
    expect(await replica.cache.get('a')).not.toBe('old');
  });

  it('does not undo what is invalidated meanwhile, in this process and in others', async () => {
    const { server, proxy, options } = await start();
    const [first, second] = [await startReplica(opened, options), await startReplica(opened, options)];
    const keys = ['deleted', 'tagged', 'set', 'expired', 'kept'];
    // On a busy machine Redis may be too slow for one of them, which is then not in it.
    await eventually(async () => {
      for (const key of keys)
        await first.cache.getOrSet(key, () => 'old', { tags: key === 'tagged' ? ['cities'] : [] });
      for (const { cache } of [first, second])
        expect(await cache.getMany(keys)).toEqual(keys.map(() => 'old'));
    });
    const outage = outageOf(server, proxy);
    await outage.begin();
    await untilAway(first);
    await first.cache.delete('deleted');
    await first.cache.invalidateTags('cities');
    await first.cache.set('set', 'new');
    await first.cache.expire('expired');
    const gone = ['deleted', 'tagged', 'set', 'expired'];
    expect(await first.cache.getMany(gone, { stale: true })).toEqual(gone.map(() => undefined));
    expect(first.cache.stats().pendingInvalidations).toBe(4);
    await outage.end();
    for (const replica of [first, second]) await untilBack(replica);
    await sleep(100);
    for (const { cache } of [first, second]) {
      expect(await cache.getMany(keys, { stale: true })).toEqual([...gone.map(() => undefined), 'old']);
    }
    // Nor does it come back with what is cached from now on.
    for (const { cache } of [first, second])
      expect(await cache.getOrSet('tagged', () => 'new', { tags: ['cities'] })).toBe('new');
  });

  it('does not undo a clear', async () => {
    const { server, proxy, options } = await start();
    const [first, second] = [await startReplica(opened, options), await startReplica(opened, options)];
    await first.cache.set('city', 'old');
    for (const { cache } of [first, second]) expect(await cache.get('city')).toBe('old');
    const outage = outageOf(server, proxy);
    await outage.begin();
    await untilAway(first);
    // It could not remove anything from Redis.
    const clearing = first.cache.clear().then(
      () => 'cleared',
      () => 'refused',
    );
    expect(await first.cache.get('city', { stale: true })).toBeUndefined();
    await outage.end();
    for (const replica of [first, second]) await untilBack(replica);
    await clearing;
    await sleep(100);
    for (const { cache } of [first, second]) expect(await cache.get('city', { stale: true })).toBeUndefined();
  });
});

describe('while Redis is away', () => {
  it('more invalidations than are kept invalidate everything', async () => {
    const server = await opened.server(PERSISTENT);
    const cacheOptions = { pendingInvalidations: 5 };
    const [first, second] = [
      await startReplica(opened, server.options, cacheOptions),
      await startReplica(opened, server.options, cacheOptions),
    ];
    await first.cache.set('untouched', 'old');
    for (const { cache } of [first, second]) expect(await cache.get('untouched')).toBe('old');
    server.pause();
    await untilAway(first);
    for (let i = 0; i < 20; i++) await first.cache.delete(`city:${i}`);
    expect(first.cache.stats().pendingInvalidations).toBeLessThanOrEqual(5);
    expect(await first.cache.get('untouched', { stale: true })).toBeUndefined();
    server.resume();
    await untilBack(first);
    await sleep(100);
    for (const { cache } of [first, second])
      expect(await cache.get('untouched', { stale: true })).toBeUndefined();
    expect(
      second.log.texts('CacheModule').filter((text) => text.includes('More invalidations')),
    ).toHaveLength(1);
  });

  it('a factory runs once for those that ask at once', async () => {
    const server = await opened.server({});
    const replica = await startReplica(opened, server.options);
    await server.kill();
    await untilAway(replica);
    let runs = 0;
    const factory = async () => {
      await sleep(50);
      return { run: ++runs };
    };
    const values = await Promise.all(
      Array.from({ length: 100 }, () => replica.cache.getOrSet('city', factory)),
    );
    expect(new Set(values)).toEqual(new Set([{ run: 1 }]));
    const failing = Array.from({ length: 100 }, () =>
      replica.cache
        .getOrSet('other', async () => {
          await sleep(50);
          throw new Error(`run ${++runs}`);
        })
        .catch((error: unknown) => error),
    );
    expect(new Set(await Promise.all(failing)).size).toBe(1);
    expect(runs).toBe(2);
  });

  it('a stale value is served, and refreshes of it are seldom tried', async () => {
    const server = await opened.server({});
    const cacheOptions = { ttl: 500, stale: '1m', refreshRetry: 400 } as const;
    const replica = await startReplica(opened, server.options, cacheOptions);
    await replica.cache.set('city', 0);
    await untilLocal(replica, 'city');
    await server.kill();
    await untilAway(replica);
    await sleep(500);
    let runs = 0;
    const values: number[] = [];
    const from = performance.now();
    while (performance.now() - from < 1_000) {
      values.push(await replica.cache.getOrSet('city', () => ++runs));
      await sleep(5);
    }
    const most = Math.ceil((performance.now() - from) / 400) + 1;
    expect(runs).toBeGreaterThanOrEqual(2);
    expect(runs).toBeLessThanOrEqual(most);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(values[0]).toBe(0);
    expect(values.at(-1)).toBeGreaterThanOrEqual(1);
  });

  it.each<[string, (cache: CacheService) => Promise<unknown>]>([
    ['deleted', (cache) => cache.delete('city')],
    ['replaced', (cache) => cache.set('city', 'new')],
    ['made again', (cache) => cache.getOrSet('city', () => 'new', { forceRefresh: true })],
  ])('what is %s while it is being stored does not come back', async (_, change) => {
    const server = await opened.server({});
    const replica = await startReplica(opened, server.options, { stale: '1m' });
    const { cache } = replica;
    const make = () => {
      server.pause();
      return 'old';
    };
    expect(await cache.getOrSet('city', make)).toBe('old');
    await change(cache);
    await untilAway(replica);
    expect(await cache.get('city', { stale: true })).not.toBe('old');
    const failing = () => Promise.reject(new Error('the database is away, too'));
    expect(await cache.getOrSet('city', failing).catch(() => 'fails')).not.toBe('old');
    server.resume();
    await untilBack(replica);
    expect(await cache.get('city', { stale: true })).not.toBe('old');
  });

  it('a value that is not stale is served only where its factory fails', async () => {
    const server = await opened.server({});
    const replica = await startReplica(opened, server.options);
    await replica.cache.set('city', 'old');
    await untilLocal(replica, 'city');
    await server.kill();
    await untilAway(replica);
    expect(await replica.cache.get('city')).toBeUndefined();
    const failing = () => Promise.reject(new Error('the database is away, too'));
    expect(await replica.cache.getOrSet('city', failing)).toBe('old');
    expect(await replica.cache.getOrSet('city', () => 'new')).toBe('new');
    await expect(replica.cache.getOrSet('other', failing)).rejects.toThrow('the database is away, too');
  });
});

describe('Redis that refuses', () => {
  it('since it is full is read, and warned of once', async () => {
    const server = await opened.server({ config: { 'maxmemory-policy': 'noeviction' } });
    const [first, second] = [
      await startReplica(opened, server.options),
      await startReplica(opened, server.options),
    ];
    for (const key of ['city', 'tagged', 'deleted', 'set'])
      await first.cache.set(key, 'cached', { tags: key === 'tagged' ? ['cities'] : [] });
    await (await server.admin()).config('SET', 'maxmemory', '1');
    expect(await second.cache.get('city')).toBe('cached');
    for (let i = 0; i < 10; i++)
      expect(await first.cache.getOrSet(`city:${i}`, () => i, { tags: ['many'] })).toBe(i);
    // What takes something back is possible.
    expect(await second.cache.getMany(['tagged', 'deleted'])).toEqual(['cached', 'cached']);
    await first.cache.delete('deleted');
    await first.cache.invalidateTags('cities');
    await first.cache.set('set', 'new');
    await eventually(async () => {
      expect(await second.cache.getMany(['tagged', 'deleted', 'set'])).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    });
    expect(first.cache.stats().available).toBe(true);
    expect(outages(second)).toEqual([]);
    const warnings = second.log.texts('CacheModule').filter((text) => text.includes('OOM'));
    expect(warnings).toHaveLength(1);
    await (await server.admin()).config('SET', 'maxmemory', '0');
    await first.cache.getOrSet('again', () => 'cached');
    expect(await second.cache.get('again')).toBe('cached');
  });

  it('since it cannot save is read, also over a new connection, and warned of once', async () => {
    const server = await opened.server({ config: SAVING_CONFIG });
    const first = await startReplica(opened, server.options);
    const second = await startReplica(opened, server.options);
    for (const key of ['city', 'deleted']) await first.cache.set(key, 'cached');
    expect(await second.cache.getMany(['city', 'deleted'])).toEqual(['cached', 'cached']);
    await makeUnableToSave(server);
    const admin = await server.admin();
    for (let i = 0; i < 20; i++) expect(await first.cache.getOrSet(`city:${i}`, () => i)).toBe(i);
    await first.cache.delete('deleted');
    expect(first.cache.stats().available).toBe(true);
    expect(outages(second)).toEqual([]);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(async () => {
      await first.cache.has('nothing');
      return first.connection.state === 'ready' && first.cache.stats().available;
    });
    expect(await first.cache.get('city')).toBe('cached');
    expect(await first.cache.get('deleted')).toBeUndefined();
    const warnings = second.log.texts('CacheModule').filter((text) => text.includes('MISCONF'));
    expect(warnings).toHaveLength(1);
    await admin.config('SET', 'stop-writes-on-bgsave-error', 'no');
    await untilBack(first);
    await eventually(async () => expect(await second.cache.get('deleted')).toBeUndefined());
  });

  it('since a command is not allowed: values are returned, and a warning says what is missing', async () => {
    const acl = ['app on >secret ~app:* &* +@all -evalsha -eval'];
    const server = await opened.server({ acl });
    const replica = await startReplica(opened, server.options);
    await replica.cache.set('set', 'cached');
    expect(await replica.cache.get('set')).toBeUndefined();
    for (let i = 0; i < 10; i++) expect(await replica.cache.getOrSet('city', () => i)).toBe(i);
    await replica.cache.invalidateTags('cities');
    expect(replica.cache.stats().available).toBe(true);
    const warnings = replica.log.texts('CacheModule').filter((text) => text.includes('evalsha'));
    expect(warnings).toEqual([expect.stringMatching(/^Redis refuses a command of the cache: .*'evalsha'/)]);
  });

  it('since a script blocks it', async () => {
    const server = await opened.server({ config: { 'lua-time-limit': '10' } });
    const replica = await startReplica(opened, server.options);
    await replica.cache.set('city', 'old');
    const admin = await server.admin();
    const blocker = admin.duplicate();
    const blocked = blocker.eval('while true do end', 0).catch(() => 'killed');
    await untilAway(replica);
    expect(await replica.cache.getOrSet('other', () => 'made')).toBe('made');
    await replica.cache.delete('city');
    await admin.script('KILL');
    expect(await blocked).toBe('killed');
    blocker.disconnect();
    await untilBack(replica);
    expect(await replica.cache.get('city')).toBeUndefined();
    expectToldInTurn(replica);
  });

  it('since it loads its data set', async () => {
    const server = await startLoadable(opened);
    const { username, password } = server.options;
    await (await server.admin()).acl('SETUSER', 'app', '+@all');
    expect([username, password]).not.toContain(undefined);
    const replica = await startReplica(opened, server.options);
    await replica.cache.set('city', 'old');
    await startLoading(server, 1);
    await untilAway(replica);
    expect(await replica.cache.getOrSet('other', () => 'made')).toBe('made');
    await replica.cache.delete('city');
    await untilBack(replica, 'city', 15_000);
    expect(await replica.cache.get('city')).toBeUndefined();
  });
});

describe('an application that starts without Redis', () => {
  it('makes values, and caches when Redis comes', async () => {
    const server = await opened.server({});
    await server.kill();
    const options = { ...server.options, startup: 'optional' } as const;
    const [first, second] = [await startReplica(opened, options), await startReplica(opened, options)];
    let runs = 0;
    for (let i = 1; i <= 3; i++) expect(await first.cache.getOrSet('city', () => ++runs)).toBe(i);
    await first.cache.invalidateTags('cities');
    expect(first.cache.stats()).toMatchObject({ available: false, coherent: false });
    await server.restart();
    for (const replica of [first, second]) await untilBack(replica);
    await eventually(() => first.cache.stats().coherent && second.cache.stats().coherent);
    expect(await first.cache.getOrSet('city', () => 'shared', { tags: ['cities'] })).toBe('shared');
    expect(await second.cache.get('city')).toBe('shared');
    await first.cache.invalidateTags('cities');
    await eventually(async () => (await second.cache.get('city')) === undefined);
    expectToldInTurn(second);
  });
});
