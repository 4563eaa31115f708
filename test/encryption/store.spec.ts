import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  EncryptionConfigurationError,
  EncryptionNotEncryptedError,
  EncryptionSerializationError,
  EncryptionTamperedError,
  RedisWrongTypeError,
  type EncryptedStore,
} from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { Opened } from '../support/opened.js';
import { OLD as KEY, openStore, type OpenedStore } from './fixtures/open-store.js';

const opened = new Opened();
let server: RedisServer;
let admin: Awaited<ReturnType<RedisServer['admin']>>;
let application: OpenedStore;
let store: EncryptedStore;
beforeAll(async () => {
  server = await startRedis();
  admin = await server.admin();
  application = await openStore(server.options);
  store = application.store;
});
afterAll(async () => {
  await application.close();
  await server.stop();
});
beforeEach(() => admin.flushall());

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  '{tag}:name',
  'имя 🗝',
  ' spaces and\r\nlines ',
  'a:b:c',
  '0',
  'long'.repeat(2_560),
];

const VALUES: readonly unknown[] = [
  null,
  0,
  false,
  '',
  'text',
  '{"not":"parsed"}',
  [],
  { a: [1, { b: null }] },
  Buffer.alloc(0),
  Buffer.from([0xc1, 1, 0, 0xff]),
];

/** As JSON has it: -0 is 0. */
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const bytes = fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each));
const text = fc.string({ unit: 'binary', maxLength: 100 });
const value = fc.oneof(json, bytes, text);

async function rawOf(key: string): Promise<Buffer> {
  return (await admin.getBuffer(`app:${key}`))!;
}

async function fieldOf(key: string, field: string): Promise<Buffer> {
  return (await admin.hgetBuffer(`app:${key}`, field))!;
}

describe('EncryptedStore', () => {
  it('gives back what it was given, as value and as field', async () => {
    await fc.assert(
      fc.asyncProperty(
        value,
        fc.option(
          fc.oneof(bytes, text).filter(({ length }) => length > 0),
          { nil: undefined },
        ),
        async (given, context) => {
          const options = context === undefined ? undefined : { context };
          await Promise.all([
            store.set('value', given, options),
            store.hset('hash', { field: given }, options),
          ]);
          const [read, field] = await Promise.all([
            store.get('value', options),
            store.hget('hash', 'field', options),
          ]);
          expect(read).toEqual(given);
          expect(field).toEqual(given);
          expect(Buffer.isBuffer(read)).toBe(Buffer.isBuffer(given));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('takes any text as key and as field', async () => {
    const entries = NAMES.map((name, position) => [name, { position }] as const);
    await store.setMany(entries);
    expect(await store.getMany(NAMES)).toEqual(entries.map(([, each]) => each));
    await store.hset('hash', new Map(entries));
    const all = await store.hgetall('hash');
    expect(Object.keys(all).toSorted()).toEqual(NAMES.toSorted());
    for (const [name, each] of entries) {
      expect(Object.getOwnPropertyDescriptor(all, name)?.value).toEqual(each);
      expect(await store.get(name)).toEqual(each);
      expect(await store.hget('hash', name)).toEqual(each);
      await store.hset(`hash of ${name}`, { [name]: each });
      expect(await store.hgetall(`hash of ${name}`)).toEqual(Object.fromEntries([[name, each]]));
    }
    expect(await store.hdel('hash', ...NAMES, 'none')).toBe(NAMES.length);
    expect(await store.delete(...NAMES, 'none')).toBe(NAMES.length);
  });

  it('has nothing of a value in Redis, and all that JSON can say comes back from many at once', async () => {
    const values = Object.fromEntries(VALUES.map((each, position) => [`value:${position}`, each]));
    await store.setMany({ ...values, secret: 'plaintext that is searched for' }, { ttl: '1m' });
    expect(await store.getMany([...Object.keys(values), 'none'])).toEqual([...VALUES, undefined]);
    await store.hset('hash', values, { ttl: '1m' });
    expect(await store.hgetall('hash')).toEqual(values);
    expect((await rawOf('secret')).includes('searched')).toBe(false);
    for (const key of ['hash', ...Object.keys(values)])
      expect(await admin.pttl(`app:${key}`)).toBeGreaterThan(0);
  });

  it('says where there is nothing', async () => {
    expect(await store.get('none')).toBeUndefined();
    expect(await store.hget('none', 'field')).toBeUndefined();
    expect(await store.hgetall('none')).toEqual({});
    expect(await store.getMany([])).toEqual([]);
    expect(await store.delete()).toBe(0);
    expect(await store.hdel('none')).toBe(0);
    await store.setMany({});
    await store.hset('none', {}, { ttl: 100 });
    expect(await admin.dbsize()).toBe(0);
  });

  it('writes with a time to live, keeps the one there is, and under a condition', async () => {
    expect(await store.set('a', 1, { condition: 'XX' })).toBe(false);
    expect(await store.set('a', 1, { condition: 'NX', ttl: '1m' })).toBe(true);
    expect(await store.set('a', 2, { condition: 'NX' })).toBe(false);
    expect(await store.set('a', 3, { condition: 'XX', ttl: 'keep' })).toBe(true);
    expect(await store.get('a')).toBe(3);
    expect(await admin.pttl('app:a')).toBeGreaterThan(0);
    expect(await store.set('a', 4)).toBe(true);
    expect(await admin.pttl('app:a')).toBe(-1);
    await store.set('a', 5, { ttl: 0.5 });
    await store.hset('hash', { one: 1 }, { ttl: '1m' });
    await store.hset('hash', { other: 2 });
    expect(await store.hgetall('hash')).toEqual({ one: 1, other: 2 });
    expect(await admin.pttl('app:hash')).toBeGreaterThan(0);
  });

  it('has namespaces side by side', async () => {
    const other = store.namespace('other:one');
    await Promise.all([store.set('a', 1), other.set('a', 2)]);
    expect([store.name, await store.get('a'), other.name, await other.get('a')]).toEqual([
      'app',
      1,
      'other:one',
      2,
    ]);
    expect(() => store.namespace('no name')).toThrow(EncryptionConfigurationError);
  });
});

describe('a call of the store with what it cannot take', () => {
  const wrong = (given: unknown): never => given as never;
  const calls: [option: string, call: () => Promise<unknown>][] = [
    ['key', () => store.get('')],
    ['key', () => store.set(wrong(7), 1)],
    ['key', () => store.delete('a', wrong(null))],
    ['key', () => store.getMany(['a', ''])],
    ['keys', () => store.getMany(wrong('a'))],
    ['key', () => store.setMany({ '': 1 })],
    ['key', () => store.hgetall(wrong(undefined))],
    ['field', () => store.hget('a', '')],
    ['field', () => store.hset('a', { '': 1 })],
    ['field', () => store.hdel('a', wrong(Symbol('field')))],
    ['values', () => store.setMany(wrong('secret'))],
    ['values', () => store.setMany(wrong(null))],
    ['values', () => store.setMany(wrong(['secret']))],
    ['fields', () => store.hset('a', wrong(undefined))],
    ['fields', () => store.hset('a', wrong(Buffer.from('secret')))],
    ['context', () => store.get('a', { context: wrong(7) })],
    ['context', () => store.set('a', 1, { context: wrong({}) })],
    ['options', () => store.get('a', wrong(null))],
    ['options', () => store.hgetall('a', wrong('context'))],
    ['ttl', () => store.get('a', wrong({ ttl: 1 }))],
    ['ttl', () => store.set('a', 1, { ttl: 0 })],
    ['ttl', () => store.set('a', 1, { ttl: wrong('soon') })],
    ['ttl', () => store.setMany({ a: 1 }, wrong({ ttl: 'keep' }))],
    ['ttl', () => store.hset('a', { b: 1 }, { ttl: -1 })],
    ['condition', () => store.set('a', 1, { condition: wrong('nx') })],
    ['condition', () => store.setMany({ a: 1 }, wrong({ condition: 'NX' }))],
    ['expires', () => store.set('a', 1, wrong({ expires: 1 }))],
  ];

  it.each(calls)('names %s, and the method', async (option, call) => {
    const error: unknown = await call().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EncryptionConfigurationError);
    expect((error as EncryptionConfigurationError).problems.map((problem) => problem.option)).toEqual([
      option,
    ]);
    const [, method] = /store\.(\w+)/.exec(String(call))!;
    expect(String(error)).toContain(`EncryptedStore.${method} was not called correctly:`);
    expect(String(error)).not.toContain('secret');
    expect(await admin.dbsize()).toBe(0);
  });

  it.each([undefined, () => 1, 1n, Symbol('secret')])('writes nothing where a value is %p', async (given) => {
    await expect(store.set('a', given)).rejects.toThrow(EncryptionSerializationError);
    await expect(store.setMany({ fine: 1, a: given })).rejects.toThrow(EncryptionSerializationError);
    await expect(store.hset('a', { fine: 1, a: given })).rejects.toThrow(EncryptionSerializationError);
    expect(await admin.dbsize()).toBe(0);
  });

  it('says where the key holds another type, and changes nothing', async () => {
    await admin.hset('app:hash', 'field', 'plain');
    await admin.set('app:value', 'plain');
    const refused = [
      store.get('hash'),
      store.getMany(['hash']),
      store.hget('value', 'a'),
      store.hgetall('value'),
      store.hset('value', { a: 1 }),
      store.hset('value', { a: 1 }, { ttl: '1m' }),
      store.hdel('value', 'a'),
    ];
    for (const outcome of await Promise.allSettled(refused))
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(RedisWrongTypeError) });
    expect(await admin.get('app:value')).toBe('plain');
    expect(await admin.pttl('app:value')).toBe(-1);
  });
});

describe('what was moved in Redis', () => {
  beforeEach(async () => {
    await store.setMany({ one: 1, other: 2 });
    await store.hset('hash', { one: 1, other: 2 });
    await store.hset('hash two', { one: 1 });
  });

  it('is refused at another key, another field, as field of its key, as value of its hash, in another namespace', async () => {
    await admin.set('app:other', await rawOf('one'));
    await expect(store.get('other')).rejects.toThrow(EncryptionTamperedError);
    await expect(store.getMany(['one', 'other'])).rejects.toThrow(EncryptionTamperedError);
    await admin.hset('app:hash', 'other', await fieldOf('hash', 'one'));
    await expect(store.hget('hash', 'other')).rejects.toThrow(
      "The value of 'hash', field 'other' was altered",
    );
    await expect(store.hgetall('hash')).rejects.toThrow(EncryptionTamperedError);
    await admin.hset('app:hash two', 'one', await fieldOf('hash', 'one'));
    await expect(store.hget('hash two', 'one')).rejects.toThrow(EncryptionTamperedError);
    await admin.set('app:elsewhere', await fieldOf('hash', 'one'));
    await expect(store.get('elsewhere')).rejects.toThrow(EncryptionTamperedError);
    await admin.set('app:hash', await fieldOf('hash', 'one'));
    await expect(store.get('hash')).rejects.toThrow(EncryptionTamperedError);
    await admin.set('second:one', await rawOf('one'));
    await expect(store.namespace('second').get('one')).rejects.toThrow(EncryptionTamperedError);
    // The same key in Redis, which is another key of another namespace.
    await store.set('two:three', 1);
    await expect(store.namespace('app:two').get('three')).rejects.toThrow(EncryptionTamperedError);
    expect(await store.get('one')).toBe(1);
  });

  it.each(['field', ''])("is refused as field '%s' of its own key", async (field) => {
    const raw = await rawOf('one');
    await admin.del('app:one');
    await admin.hset('app:one', field, raw);
    await expect(store.hgetall('one')).rejects.toThrow(EncryptionTamperedError);
  });

  it('is refused with another context, and with none', async () => {
    await store.set('one', 1, { context: 'tenant 1' });
    for (const options of [undefined, {}, { context: 'tenant 2' }, { context: Buffer.from('tenant 10') }])
      await expect(store.get('one', options)).rejects.toThrow(EncryptionTamperedError);
    expect(await store.get('one', { context: Buffer.from('tenant 1') })).toBe(1);
  });

  it('is refused after RENAME and COPY when it is bound to its key, and not when it is bound to less', async () => {
    const { options } = server;
    const contextual = opened.add(await openStore(options, { bind: 'context', key: KEY })).store;
    const free = opened.add(await openStore(options, { bind: 'none', key: KEY })).store;
    const bound = opened.add(await openStore(options, { key: KEY })).store;
    await bound.set('key', 1, { context: 'c' });
    await contextual.set('context', 2, { context: 'c' });
    await free.set('none', 3, { context: 'c' });
    for (const key of ['key', 'context', 'none']) await admin.rename(`app:${key}`, `app:moved:${key}`);
    const context = 'c';
    await expect(bound.get('moved:key', { context })).rejects.toThrow(EncryptionTamperedError);
    expect(await contextual.get('moved:context', { context })).toBe(2);
    await expect(contextual.get('moved:context')).rejects.toThrow(EncryptionTamperedError);
    await expect(contextual.namespace('b').get('x')).resolves.toBeUndefined();
    await admin.copy('app:moved:context', 'b:x');
    await expect(contextual.namespace('b').get('x', { context })).rejects.toThrow(EncryptionTamperedError);
    await admin.copy('app:moved:none', 'b:none');
    expect(await free.namespace('b').get('none')).toBe(3);
    // What is bound to less than is asked for may come from anywhere.
    await expect(bound.get('moved:context', { context })).rejects.toThrow('has to be to its key');
    await expect(bound.get('moved:none', { context })).rejects.toThrow(EncryptionTamperedError);
    await expect(contextual.get('moved:none', { context })).rejects.toThrow('is bound to nothing');
    // What is bound to more is accepted at its place.
    await bound.set('strict', 4);
    expect([await contextual.get('strict'), await free.get('strict')]).toEqual([4, 4]);
  });

  it('or altered is refused, and so is what is no envelope', async () => {
    const raw = await rawOf('one');
    raw[raw.length - 1]! ^= 1;
    await admin.mset(
      'app:one',
      raw,
      'app:other',
      'plain',
      'app:empty',
      '',
      'app:short',
      Buffer.from([0xc1, 1]),
    );
    await expect(store.get('one')).rejects.toThrow(EncryptionTamperedError);
    await expect(store.get('other')).rejects.toThrow(EncryptionNotEncryptedError);
    await expect(store.get('empty')).rejects.toThrow(EncryptionNotEncryptedError);
    await expect(store.get('short')).rejects.toThrow(EncryptionTamperedError);
  });
});
