import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import {
  EncryptionError,
  EncryptionNotEncryptedError,
  EncryptionTamperedError,
  type PlaintextMigrationOptions,
} from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { OLD, openStore, type OpenedStore } from './fixtures/open-store.js';

const opened = new Opened();
let server: RedisServer;
let admin: Awaited<ReturnType<RedisServer['admin']>>;
beforeAll(async () => {
  server = await startRedis();
  admin = await server.admin();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await admin.client('UNPAUSE');
  await admin.flushall();
});
afterEach(() => void jest.restoreAllMocks());

const HOUR = 3_600_000;

async function migrating(
  as?: PlaintextMigrationOptions['as'],
  until = new Date(Date.now() + HOUR),
): Promise<OpenedStore> {
  const migratePlaintext = as ? { until, as } : { until };
  return opened.add(await openStore(server.options, { key: OLD, migratePlaintext, reencryptOnRead: false }));
}

async function strict(): Promise<OpenedStore> {
  return opened.add(await openStore(server.options));
}

const CASES: [PlaintextMigrationOptions['as'], Buffer, unknown][] = [
  [undefined, Buffer.from('käse 🗝'), 'käse 🗝'],
  ['text', Buffer.from(''), ''],
  ['text', Buffer.from('{"a":1}'), '{"a":1}'],
  ['json', Buffer.from(' {"a":[1,null]} '), { a: [1, null] }],
  ['json', Buffer.from('null'), null],
  ['bytes', Buffer.from([0, 0xff, 0xc1]), Buffer.from([0, 0xff, 0xc1])],
  ['bytes', Buffer.alloc(0), Buffer.alloc(0)],
];

describe('what was written before encryption', () => {
  it.each(CASES)('as %p is read, %p, and encrypted where it is', async (as, plaintext, value) => {
    const { store, service } = await migrating(as);
    await admin.set('app:lasting', plaintext);
    await admin.set('app:brief', plaintext, 'PX', 60_000);
    await admin.hset('app:hash', 'one', plaintext, 'other', plaintext);
    await admin.pexpire('app:hash', 60_000);
    expect(await store.getMany(['lasting', 'brief'])).toEqual([value, value]);
    expect(await store.hget('hash', 'one')).toEqual(value);
    expect(await store.hgetall('hash')).toEqual({ one: value, other: value });
    await eventually(() => expect(service.stats()).toMatchObject({ reencrypted: 4, migrated: 4 }));
    expect([await admin.pttl('app:lasting'), (await admin.pttl('app:brief')) > 0]).toEqual([-1, true]);
    expect(await admin.pttl('app:hash')).toBeGreaterThan(0);
    const reader = await strict();
    expect(await reader.store.getMany(['lasting', 'brief'])).toEqual([value, value]);
    expect(await reader.store.hgetall('hash')).toEqual({ one: value, other: value });
    await admin.rename('app:lasting', 'app:moved');
    await expect(store.get('moved')).rejects.toThrow(EncryptionTamperedError);
  });

  it('is encrypted with the context that it is read with, whatever the reader does with the bytes', async () => {
    const { store, service } = await migrating('bytes');
    await admin.set('app:a', 'plain');
    const read = await store.get<Buffer>('a', { context: 'c' });
    read!.fill(0);
    await eventually(() => service.stats().migrated === 1);
    await expect(store.get('a')).rejects.toThrow(EncryptionTamperedError);
    expect(await store.get('a', { context: 'c' })).toEqual(Buffer.from('plain'));
  });

  it('is not overwritten when it was changed meanwhile', async () => {
    const { store, service, close } = await migrating();
    const other = await strict();
    await admin.mset('app:a', 'old', 'app:same length', 'old', 'app:encrypted', 'old');
    await admin.hset('app:hash', 'field', 'old', 'gone', 'old');
    await admin.client('PAUSE', 60_000, 'WRITE');
    const writer = admin.duplicate();
    opened.add({ [Symbol.asyncDispose]: async () => writer.disconnect() });
    const writes = [
      writer.set('app:a', 'old and longer'),
      writer.set('app:same length', 'new'),
      writer.hset('app:hash', 'field', 'new'),
      writer.hdel('app:hash', 'gone'),
    ];
    const held = (clients: number) =>
      eventually(async () => (await admin.info('clients')).includes(`blocked_clients:${clients}\r`));
    await held(1);
    const encrypted = other.store.set('encrypted', 'new');
    await held(2);
    const reads = [store.getMany(['a', 'same length', 'encrypted']), store.hgetall('hash')];
    expect(await Promise.all(reads)).toEqual([['old', 'old', 'old'], { field: 'old', gone: 'old' }]);
    await held(3);
    await admin.client('UNPAUSE');
    await Promise.all([...writes, encrypted]);
    await close();
    expect(service.stats().migrated).toBe(0);
    expect(await admin.mget('app:a', 'app:same length')).toEqual(['old and longer', 'new']);
    expect(await admin.hgetall('app:hash')).toEqual({ field: 'new' });
    expect(await other.store.get('encrypted')).toBe('new');
  });

  it.each([
    ['text', 'no UTF-8', Buffer.from([0x80, 0xff])],
    ['json', 'no JSON', Buffer.from('{"a":')],
    ['json', 'nothing', Buffer.alloc(0)],
  ] as const)('as %s and is %s is refused, and stays', async (as, _, plaintext) => {
    const { store, service, close } = await migrating(as);
    await admin.set('app:a', plaintext);
    await expect(store.get('a')).rejects.toThrow(EncryptionNotEncryptedError);
    await close();
    expect(await admin.getBuffer('app:a')).toEqual(plaintext);
    expect(service.stats()).toMatchObject({ migrated: 0, refused: 1 });
  });

  it('and begins as an envelope does is refused, and stays', async () => {
    const { store, service, close } = await migrating('bytes');
    const bytes = fc.uint8Array({ maxLength: 60 }).map((rest) => Buffer.from([0xc1, ...rest]));
    await fc.assert(
      fc.asyncProperty(bytes, async (plaintext) => {
        await admin.set('app:a', plaintext);
        await expect(store.get('a')).rejects.toThrow(EncryptionError);
        await expect(store.get('a')).rejects.not.toThrow(EncryptionNotEncryptedError);
        expect(await admin.getBuffer('app:a')).toEqual(plaintext);
      }),
      { numRuns: 30 },
    );
    await close();
    expect(service.stats().migrated).toBe(0);
  });

  it('in a field without a name is refused', async () => {
    const { store } = await migrating();
    await admin.hset('app:hash', '', 'plain', 'field', 'plain');
    await expect(store.hgetall('hash')).rejects.toThrow(EncryptionTamperedError);
  });
});

describe('migratePlaintext', () => {
  it('is off by itself', async () => {
    const { store, log } = await strict();
    await admin.set('app:a', 'plain');
    await admin.hset('app:hash', 'field', 'plain');
    await expect(store.get('a')).rejects.toThrow("The value of 'a' is not encrypted");
    await expect(store.hgetall('hash')).rejects.toThrow(EncryptionNotEncryptedError);
    expect(await admin.get('app:a')).toBe('plain');
    expect(log.texts('EncryptionModule')).toEqual([]);
  });

  it('is warned of, and ends while the application runs', async () => {
    const until = new Date(Date.now() + HOUR);
    const { store, log } = await migrating('text', until);
    expect(log.texts('EncryptionModule')).toEqual([
      `Until ${until.toISOString()} what is not encrypted is accepted (migratePlaintext), whoever has written it`,
    ]);
    await admin.mset('app:a', 'plain', 'app:b', 'plain');
    expect(await store.get('a')).toBe('plain');
    jest.spyOn(Date, 'now').mockReturnValue(until.getTime());
    await expect(store.get('b')).rejects.toThrow(EncryptionNotEncryptedError);
    expect(await admin.get('app:b')).toBe('plain');
    jest.restoreAllMocks();
    expect(await store.get('b')).toBe('plain');
  });

  it('that has ended is warned of, and accepts nothing', async () => {
    const { store, log } = await migrating('text', new Date('2020-01-01'));
    await admin.set('app:a', 'plain');
    await expect(store.get('a')).rejects.toThrow(EncryptionNotEncryptedError);
    expect(log.texts('EncryptionModule')).toEqual([expect.stringContaining('can be removed')]);
  });
});
