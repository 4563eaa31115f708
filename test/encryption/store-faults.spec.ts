import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  RedisConnectionLostError,
  RedisError,
  RedisOutOfMemoryError,
  RedisReadOnlyError,
  RedisTimeoutError,
  RedisUnavailableError,
  type EncryptedStore,
} from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { AFTER, OLD, openStore, type OpenedStore } from './fixtures/open-store.js';

const opened = new Opened();
let server: RedisServer;
/** A replica that writes with the old key. */
let before: OpenedStore;
beforeAll(async () => {
  server = await startRedis({
    config: { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' },
    acl: [
      'writer on >secret ~* &* +@all',
      'reader on >secret ~* +@read +@connection -@dangerous +info +evalsha +eval',
    ],
  });
  before = await openStore(server.options, { key: OLD });
});
afterAll(async () => {
  await before.close();
  await server.stop();
});
beforeEach(async () => {
  await (await server.admin()).flushall();
  await before.store.setMany({ a: 1, b: 2, c: 3 });
  await before.store.hset('hash', { field: 1 });
});

async function open(options: object = {}): Promise<OpenedStore> {
  return opened.add(await openStore({ ...server.options, ...options }, AFTER));
}

const warnings = ({ log }: OpenedStore): string[] => log.texts('EncryptionModule');

/** Reads all, and then again until it is encrypted anew. */
async function readUntilEncryptedAnew({ store, service }: OpenedStore): Promise<void> {
  await eventually(async () => {
    await store.getMany(['a', 'b', 'c']);
    await store.hgetall('hash');
    return service.stats().reencrypted >= 4;
  });
}

async function readAll(store: EncryptedStore): Promise<void> {
  expect(await store.getMany(['a', 'b', 'c'])).toEqual([1, 2, 3]);
  expect(await store.hget('hash', 'field')).toBe(1);
}

describe('a value that cannot be encrypted anew', () => {
  it('where writing is not allowed is read, and that is warned of once', async () => {
    const after = await open({ username: 'reader', password: 'secret' });
    for (let round = 0; round < 5; round++) await readAll(after.store);
    await eventually(() => expect(warnings(after)).toHaveLength(1));
    expect(warnings(after)[0]).toMatch(
      /^A value could not be encrypted under the primary key: .*can't run this command/,
    );
    await readAll(after.store);
    expect([warnings(after).length, after.service.stats().reencrypted]).toEqual([1, 0]);
  });

  it('where memory is full is read, and writing says why not', async () => {
    const after = await open();
    const admin = await server.admin();
    await admin.config('SET', 'maxmemory', '1');
    await readAll(after.store);
    await expect(after.store.set('a', 4)).rejects.toThrow(RedisOutOfMemoryError);
    await expect(after.store.hset('hash', { field: 4 }, { ttl: '1m' })).rejects.toThrow(
      RedisOutOfMemoryError,
    );
    await eventually(() => expect(warnings(after)).toHaveLength(1));
    await readAll(after.store);
    await admin.config('SET', 'maxmemory', '0');
    expect(await admin.pttl('app:hash')).toBe(-1);
    await readUntilEncryptedAnew(after);
    expect(warnings(after)).toEqual([expect.stringMatching(/under the primary key: OOM/)]);
  });

  it('on a replica is read, and writing says why not', async () => {
    const master = await opened.server({});
    const other = opened.add(await openStore(master.options, { key: OLD }));
    await other.store.set('a', 1);
    const after = opened.add(await openStore(master.options, AFTER));
    await (await master.admin()).replicaof('127.0.0.1', master.port);
    expect(await after.store.get('a')).toBe(1);
    await eventually(() => expect(warnings(after)).toEqual([expect.stringContaining('READONLY')]));
    await eventually(async () => expect(await after.store.get('a')).toBe(1));
    await expect(after.store.set('a', 2)).rejects.toThrow(RedisReadOnlyError);
  });

  it('since Redis is killed has been read, and is encrypted anew when it is back', async () => {
    const after = await open();
    const admin = await server.admin();
    await admin.client('PAUSE', 60_000, 'WRITE');
    await after.store.getMany(['a', 'b']);
    await eventually(async () => (await admin.info('clients')).includes('blocked_clients:1\r'));
    await server.kill();
    await eventually(() => expect(warnings(after)).toHaveLength(1));
    await server.restart();
    await eventually(() => readAll(after.store));
    await readUntilEncryptedAnew(after);
    expect(await before.store.getMany(['none'])).toEqual([undefined]);
  });
});

describe('a Redis', () => {
  const calls = ({ store }: OpenedStore): Promise<unknown>[] => [
    store.get('a'),
    store.set('a', 1),
    store.getMany(['a', 'b']),
    store.setMany({ a: 1, b: 2 }),
    store.delete('a', 'b'),
    store.hget('hash', 'field'),
    store.hset('hash', { field: 1 }),
    store.hset('hash', { field: 1 }, { ttl: '1m' }),
    store.hdel('hash', 'field'),
    store.hgetall('hash'),
  ];

  it('that is killed makes every call fail with what has happened, and goes on when it is back', async () => {
    const after = await open({ maxRetriesPerRequest: 0 });
    await readAll(after.store);
    await server.kill();
    for (const outcome of await Promise.allSettled(calls(after))) {
      const { reason } = outcome as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(RedisError);
      expect([RedisUnavailableError, RedisConnectionLostError]).toContain((reason as object).constructor);
    }
    await server.restart();
    await eventually(() => readAll(after.store));
  });

  it('that does not answer makes every call fail in time, and goes on when it does', async () => {
    const after = await open({ commandTimeout: 200 });
    server.pause();
    const outcomes = await Promise.allSettled(calls(after));
    server.resume();
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(RedisTimeoutError) });
    await eventually(async () => expect(await after.store.set('a', 2)).toBe(true));
    expect(await after.store.get('a')).toBe(2);
  });
});
