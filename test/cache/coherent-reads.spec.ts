import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheService } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { killClients } from '../support/server-view.js';
import { openInstance } from './fixtures/coherent.js';
import { RemoteParticipant } from './fixtures/versions-participant.js';

const opened = new Opened();

/** What is promised is 100 ms; the rest is for a busy machine. */
const BOUND = 100 + 150;

const METHODS = ['get', 'getMany', 'getOrSet'] as const;
const TAGS = [[], ['cities']] as const;
/** A key for each way to read, with and without tags. */
const keys = METHODS.flatMap((method) =>
  TAGS.map((tags) => ({ key: `${method}:${tags.length}`, method, tags })),
);
const names = keys.map(({ key }) => key);
const redisKeys = names.map((name) => `app:cache:e:default:${name}`);

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await (await server.admin()).flushall();
});

async function read(cache: CacheService, { key, method, tags }: (typeof keys)[number]): Promise<unknown> {
  if (method === 'get') return cache.get(key);
  if (method === 'getMany') return (await cache.getMany([key]))[0];
  return cache.getOrSet(key, () => 'made', { tags });
}

const readAll = (cache: CacheService) => Promise.all(keys.map((each) => read(cache, each)));

async function setAll(cache: { set: CacheService['set'] }, value: string): Promise<void> {
  await Promise.all(keys.map(({ key, tags }) => cache.set(key, value, { tags })));
}

/** Has all keys in the local tier. */
async function keepOld(cache: CacheService, writer: CacheService): Promise<void> {
  await setAll(writer, 'old');
  await eventually(async () => {
    expect(await readAll(cache)).toEqual(keys.map(() => 'old'));
    const before = cache.stats();
    await readAll(cache);
    return cache.stats().localHits === before.localHits + keys.length;
  });
}

/** Looks again and again, from the bound on. */
async function expectNoOld(cache: CacheService): Promise<void> {
  await sleep(BOUND);
  for (let look = 0; look < 5; look++) {
    expect(await readAll(cache)).not.toContain('old');
    await sleep(20);
  }
}

const forEachKey = (command: (admin: Redis, key: string) => Promise<unknown>) => async () => {
  const admin = await server.admin();
  await Promise.all(redisKeys.map((key) => command(admin, key)));
};

const RAW: [string, () => Promise<unknown>][] = [
  ['DEL', forEachKey((admin, key) => admin.del(key))],
  ['UNLINK', forEachKey((admin, key) => admin.unlink(key))],
  ['GETDEL', forEachKey((admin, key) => admin.getdel(key))],
  ['RENAME', forEachKey((admin, key) => admin.rename(key, `elsewhere:${key}`))],
  [
    'RENAME onto it',
    forEachKey(async (admin, key) => admin.set(`{x}${key}`, 'x').then(() => admin.rename(`{x}${key}`, key))),
  ],
  [
    'COPY onto it',
    forEachKey(async (admin, key) => admin.set('other', 'x').then(() => admin.copy('other', key, 'REPLACE'))),
  ],
  [
    'RESTORE',
    forEachKey(async (admin, key) => {
      await admin.set('other', 'x');
      await admin.restore(key, 0, await admin.dumpBuffer('other'), 'REPLACE');
    }),
  ],
  ['a script', forEachKey((admin, key) => admin.eval(`return redis.call('DEL', KEYS[1])`, 1, key))],
  ['a transaction', forEachKey((admin, key) => admin.multi().del(key).exec())],
  ['PEXPIREAT in the past', forEachKey((admin, key) => admin.pexpireat(key, 1))],
  ['expiry', forEachKey((admin, key) => admin.pexpire(key, 20))],
  ['MOVE', forEachKey((admin, key) => admin.move(key, 1))],
  ['FLUSHALL', async () => (await server.admin()).flushall()],
  ['FLUSHDB', async () => (await server.admin()).flushdb()],
];

describe('what another client does to what is kept locally', () => {
  it.each(RAW)('%s', async (_, write) => {
    const { cache } = await openInstance(opened, server.options);
    const writer = await openInstance(opened, server.options);
    await keepOld(cache, writer.cache);
    await write();
    await expectNoOld(cache);
  });

  it('an eviction for want of memory', async () => {
    const full = await opened.server({ config: { 'maxmemory-policy': 'allkeys-lru' } });
    const { cache } = await openInstance(opened, full.options);
    const writer = await openInstance(opened, full.options);
    await keepOld(cache, writer.cache);
    const admin = await full.admin();
    await admin.config('SET', 'maxmemory', '3mb');
    await eventually(async () => {
      await Promise.all(
        Array.from({ length: 50 }, () =>
          admin.set(`filler:${Math.random()}`, 'x'.repeat(20_000)).catch(() => 0),
        ),
      );
      return (await admin.exists(...redisKeys)) === 0;
    }, 15_000);
    await expectNoOld(cache);
  }, 40_000);
});

describe('what another process does to what is kept locally', () => {
  let remote: RemoteParticipant;
  beforeAll(async () => {
    remote = new RemoteParticipant('another', async () => []);
    await remote.open(server.options, { namespace: 'app', ttl: '1m', budget: '5s' });
  }, 20_000);
  afterAll(() => remote[Symbol.asyncDispose]());

  const each = (change: (key: string) => Promise<unknown>) => () => Promise.all(names.map(change));
  const WRITES: [string, () => Promise<unknown>][] = [
    ['set', each((key) => remote.set({ key, version: 2 }, []))],
    ['delete', each((key) => remote.delete(key))],
    ['expire', each((key) => remote.expire(key))],
    ['clear', () => remote.clear()],
  ];

  it.each(WRITES)('%s', async (_, write) => {
    const { cache } = await openInstance(opened, server.options);
    const writer = await openInstance(opened, server.options);
    await keepOld(cache, writer.cache);
    await write();
    await expectNoOld(cache);
  });

  it('invalidateTags', async () => {
    const { cache } = await openInstance(opened, server.options);
    const writer = await openInstance(opened, server.options);
    await keepOld(cache, writer.cache);
    await remote.invalidateTags('cities');
    await sleep(BOUND);
    const values = await readAll(cache);
    expect(values.filter((_, position) => keys[position]!.tags.length > 0)).not.toContain('old');
    expect(values.filter((_, position) => keys[position]!.tags.length === 0)).toEqual(['old', 'old', 'old']);
  });
});

describe('when the listener is away', () => {
  it('what is changed meanwhile is seen at once, and is after it is back', async () => {
    const { cache } = await openInstance(opened, server.options);
    const writer = await openInstance(opened, server.options);
    for (let round = 0; round < 5; round++) {
      await keepOld(cache, writer.cache);
      await killClients(server, ':listener');
      await setAll(writer.cache, 'new');
      await eventually(() => !cache.stats().coherent, 500).catch(() => undefined);
      for (let look = 0; look < 20; look++) {
        expect(await readAll(cache)).not.toContain('old');
        await sleep(10);
      }
      await eventually(() => cache.stats().coherent);
      expect(await readAll(cache)).not.toContain('old');
    }
  }, 40_000);

  it.each([
    ['with its data', { appendonly: 'yes', appendfsync: 'always' }],
    ['without data', {}],
  ])(
    'since the server starts anew, %s',
    async (_, config) => {
      const mortal = await opened.server({ config });
      const { cache } = await openInstance(opened, mortal.options);
      const writer = await openInstance(opened, mortal.options);
      await keepOld(cache, writer.cache);
      await mortal.kill();
      await mortal.restart();
      await (await mortal.admin()).del(...redisKeys);
      await eventually(() => cache.stats().coherent);
      await expectNoOld(cache);
    },
    40_000,
  );
});
