import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { EncryptionRootOptions } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { AFTER, BEFORE, keyIdOf, NEW, OLD, openStore, type OpenedStore } from './fixtures/open-store.js';

const opened = new Opened();
let server: RedisServer;
let admin: Awaited<ReturnType<RedisServer['admin']>>;
/** A replica that still writes with the old key, and encrypts nothing anew. */
let before: OpenedStore;
beforeAll(async () => {
  server = await startRedis();
  admin = await server.admin();
  before = await openStore(server.options, { ...BEFORE, reencryptOnRead: false });
});
afterAll(async () => {
  await before.close();
  await server.stop();
});
beforeEach(async () => {
  await admin.client('UNPAUSE');
  await admin.flushall();
});

async function open(options: EncryptionRootOptions = AFTER): Promise<OpenedStore> {
  return opened.add(await openStore(server.options, options));
}

const primary = ({ service }: OpenedStore): string => service.keys[0]!.id;

async function keyOf(key: string, field?: string): Promise<string> {
  const name = `app:${key}`;
  const raw = field === undefined ? await admin.getBuffer(name) : await admin.hgetBuffer(name, field);
  return keyIdOf(before.service, raw);
}

/** Holds back whatever writes, until the next test or `CLIENT UNPAUSE`. Reads go on. */
async function holdWrites(): Promise<void> {
  await admin.client('PAUSE', 60_000, 'WRITE');
}

/** How many clients wait until they may write. */
async function waitUntilHeld(clients: number): Promise<void> {
  await eventually(async () => (await admin.info('clients')).includes(`blocked_clients:${clients}\r`));
}

describe('a value that is read under another key', () => {
  it('is encrypted anew, with its context, binding and time to live', async () => {
    const after = await open();
    const weak = opened.add(await openStore(server.options, { ...BEFORE, bind: 'context' }));
    await before.store.set('lasting', 1, { context: 'c' });
    await before.store.set('brief', { a: 2 }, { ttl: '1m' });
    await weak.store.set('weak', 'text', { context: 'c' });
    await before.store.hset('hash', { one: Buffer.from('1'), other: 2 }, { ttl: '1m' });
    await before.store.hset('lasting hash', { one: 1 });
    expect(await after.store.get('lasting', { context: 'c' })).toBe(1);
    expect(await after.store.getMany(['brief'])).toEqual([{ a: 2 }]);
    expect(await after.store.hgetall('hash')).toEqual({ one: Buffer.from('1'), other: 2 });
    expect(await after.store.hget('lasting hash', 'one')).toBe(1);
    const contextual = await open({ ...AFTER, bind: 'context' });
    expect(await contextual.store.get('weak', { context: 'c' })).toBe('text');
    const id = primary(after);
    await eventually(async () => {
      for (const key of ['lasting', 'brief', 'weak']) expect(await keyOf(key)).toBe(id);
      for (const field of ['one', 'other']) expect(await keyOf('hash', field)).toBe(id);
      expect(await keyOf('lasting hash', 'one')).toBe(id);
    });
    for (const key of ['brief', 'hash']) expect(await admin.pttl(`app:${key}`)).toBeGreaterThan(0);
    for (const key of ['lasting', 'weak', 'lasting hash']) expect(await admin.pttl(`app:${key}`)).toBe(-1);
    const alone = await open({ key: NEW });
    expect(await alone.store.get('lasting', { context: 'c' })).toBe(1);
    expect(await alone.store.get('brief')).toEqual({ a: 2 });
    expect(await alone.store.hgetall('hash')).toEqual({ one: Buffer.from('1'), other: 2 });
    const weakRaw = (await admin.getBuffer('app:weak'))!;
    expect(before.service.inspect(weakRaw)).toMatchObject({
      binding: 'context',
      encoding: 'text',
      hasContext: true,
    });
    expect(after.service.stats()).toMatchObject({ reencrypted: 5, migrated: 0 });
    expect(after.log.texts('EncryptionModule')).toEqual([]);
  });

  it('is left as it is where that is asked for, and under the primary key', async () => {
    const after = await open({ ...AFTER, reencryptOnRead: false });
    await before.store.set('a', 1);
    await after.store.set('b', 2);
    const raw = await admin.getBuffer('app:a');
    expect(await after.store.getMany(['a', 'b'])).toEqual([1, 2]);
    const other = await open();
    expect(await other.store.get('b')).toBe(2);
    await Promise.all([after.close(), other.close()]);
    expect(await admin.getBuffer('app:a')).toEqual(raw);
    expect(other.service.stats().reencrypted).toBe(0);
  });

  it('is read without waiting for that, and no more than 64 are encrypted anew at once', async () => {
    const after = await open();
    const keys = Array.from({ length: 200 }, (_, position) => `key:${position}`);
    await before.store.setMany(keys.map((key) => [key, key] as const));
    await holdWrites();
    expect(await after.store.getMany(keys)).toEqual(keys);
    await waitUntilHeld(1);
    await admin.client('UNPAUSE');
    await eventually(() => after.service.stats().reencrypted === 64);
    expect(await after.store.get('key:150')).toBe('key:150');
    await after.close();
    expect(after.service.stats().reencrypted).toBe(65);
  });

  it('is not encrypted anew when it was written meanwhile', async () => {
    const after = await open();
    await before.store.set('a', 'old');
    await before.store.hset('hash', { gone: 1, moved: 2, written: 'old' });
    await before.store.set('gone', 1);
    await before.store.set('turned', 1);
    await holdWrites();
    const writes = [
      before.store.set('a', 'new', { ttl: '1m' }),
      before.store.hset('hash', { written: 'new' }),
      before.store.hdel('hash', 'gone'),
      before.store.delete('gone', 'turned'),
      before.store.hset('turned', { field: 'new' }),
    ];
    await waitUntilHeld(1);
    // What is held back is executed in the order in which it came: the writes, then what encrypts anew.
    const reads = [after.store.getMany(['a', 'gone', 'turned']), after.store.hgetall('hash')];
    expect(await Promise.all(reads)).toEqual([['old', 1, 1], { gone: 1, moved: 2, written: 'old' }]);
    await waitUntilHeld(2);
    await admin.client('UNPAUSE');
    await Promise.all(writes);
    await after.close();
    expect(after.service.stats().reencrypted).toBe(1);
    expect(await before.store.get('a')).toBe('new');
    expect(await admin.pttl('app:a')).toBeGreaterThan(0);
    expect(await before.store.hgetall('hash')).toEqual({ moved: 2, written: 'new' });
    expect(await before.store.get('gone')).toBeUndefined();
    expect(await before.store.hgetall('turned')).toEqual({ field: 'new' });
    expect(after.log.texts('EncryptionModule')).toEqual([]);
  });

  it('is never in the way of those who write it at the same time', async () => {
    const after = await open();
    const keys = Array.from({ length: 400 }, (_, position) => `key:${position}`);
    await before.store.setMany(keys.map((key) => [key, 'old'] as const));
    await before.store.hset('hash', Object.fromEntries(keys.map((key) => [key, 'old'] as const)));
    for (let start = 0; start < keys.length; start += 20) {
      await Promise.all(
        keys.slice(start, start + 20).flatMap((key, position) => {
          const reads = [after.store.get(key), after.store.hget('hash', key)];
          const write = (): Promise<unknown>[] => [
            before.store.set(key, 'new'),
            before.store.hset('hash', { [key]: 'new' }),
          ];
          // Some are written at once, some just after they were read.
          return position % 2
            ? [...reads, ...write()]
            : reads.map((read) => read.then(() => Promise.all(write())));
        }),
      );
    }
    await after.close();
    expect(new Set(await before.store.getMany(keys))).toEqual(new Set(['new']));
    expect(new Set(Object.values(await before.store.hgetall('hash')))).toEqual(new Set(['new']));
    expect(after.log.texts('EncryptionModule').filter((line) => line.includes('could not'))).toEqual([]);
  });

  it('is not encrypted back and forth by replicas that write with different keys', async () => {
    // All log to the last that was started.
    const [one, other] = [await open(BEFORE), await open(AFTER)];
    const count = (): number[] => [one, other].map(({ service }) => service.stats().reencrypted);
    await one.store.setMany({ a: 1, b: 2 });
    expect(await other.store.get('a')).toBe(1);
    await eventually(() => expect(count()).toEqual([0, 1]));
    expect(await one.store.get('a')).toBe(1);
    await eventually(() => expect(count()).toEqual([1, 1]));
    for (let round = 0; round < 20; round++)
      for (const { store } of [one, other]) expect(await store.getMany(['a', 'b'])).toEqual([1, 2]);
    expect(other.log.texts('EncryptionModule')).toEqual([expect.stringContaining('Another process writes')]);
    // And the same from the other side.
    await other.store.set('a', 3);
    for (let round = 0; round < 20; round++)
      for (const { store } of [one, other]) expect(await store.get('a')).toBe(3);
    expect(other.log.texts('EncryptionModule')).toHaveLength(2);
    await Promise.all([one.close(), other.close()]);
    expect(count()).toEqual([1, 1]);
  });
});

describe('a shutdown', () => {
  it('waits for what is being encrypted anew', async () => {
    const after = await open();
    await before.store.set('a', 1);
    await admin.client('PAUSE', 300, 'WRITE');
    expect(await after.store.get('a')).toBe(1);
    await after.close();
    expect(await keyOf('a')).toBe(primary(after));
    await expect(after.store.get('a')).rejects.toMatchObject({ code: 'REDIS_CLOSED' });
  });

  it('does not wait for a Redis that answers nothing', async () => {
    const silent = await opened.server({});
    const options = { ...silent.options, shutdownTimeout: 100 };
    const [writer, after] = [await openStore(options, { key: OLD }), await openStore(options, AFTER)];
    await writer.store.set('a', 1);
    await writer.close();
    await (await silent.admin()).client('PAUSE', 60_000, 'WRITE');
    expect(await after.store.get('a')).toBe(1);
    silent.pause();
    await after.close();
    expect(after.log.texts('EncryptionModule')).toEqual([]);
  });
});
