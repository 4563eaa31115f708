import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, NotFoundException, type DynamicModule } from '@nestjs/common';
import type { Redis } from 'ioredis';
import {
  CacheConfigurationError,
  CacheModule,
  CacheService,
  EncryptionModule,
  EncryptionService,
  getCacheToken,
  HttpCache,
  RedisModule,
  type CacheRootOptions,
  type EncryptionRootOptions,
  type NamedCacheOptions,
} from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { EntryEncryption } from '../../src/cache/entry/entry-encryption.js';
import { EntrySerializer } from '../../src/cache/entry/entry-serializer.js';
import { readRecord } from '../../src/cache/entry/record.js';
import { msgpackCodec } from '../../src/cache/codecs/msgpack-codec.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
import { Calls, type HttpApplication, startHttp } from './fixtures/http-application.js';

const opened = new Opened();
const [key, newKey] = [randomBytes(32), randomBytes(32)];
const SECRET = 'the secret of the test';
let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await startRedis({});
  admin = await server.admin();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

let applications = 0;
/** A namespace that no other test has. */
const fresh = () => `app-${++applications}`;

interface Given {
  cache?: Partial<CacheRootOptions>;
  named?: NamedCacheOptions;
  encryption?: EncryptionRootOptions | undefined;
}

async function start(namespace: string, given: Given = {}) {
  const encryption = 'encryption' in given ? given.encryption : { key };
  const modules: DynamicModule[] = [
    RedisModule.forRoot({ shutdownTimeout: '1s', ...server.options }),
    CacheModule.forRoot({ namespace, ttl: '1m', budget: '5s', local: false, encrypt: true, ...given.cache }),
  ];
  if (given.named) modules.push(CacheModule.forFeature(given.named));
  if (encryption) modules.push(EncryptionModule.forRoot({ namespace: 'app', ...encryption }));
  const { app, log } = await startApplication(modules);
  opened.add({ [Symbol.asyncDispose]: () => app.close() });
  const warnings = () => log.texts('CacheModule').filter((text) => text.includes('counts as a miss'));
  return { app, cache: app.get(CacheService), warnings };
}

const redisKey = (namespace: string, name: string, cache = 'default') =>
  `${namespace}:cache:e:${cache}:${name}`;

async function recordAt(at: string): Promise<Buffer> {
  const bytes = await admin.getBuffer(at);
  if (!bytes) throw new Error(`There is nothing at ${at}`);
  return bytes;
}

/** Whether the text is in a value under the namespace. */
async function isFound(namespace: string, text: string): Promise<boolean> {
  const keys = await admin.keys(`${namespace}:cache:e:*`);
  const values = await Promise.all(keys.map((each) => recordAt(each)));
  expect(values.length).toBeGreaterThan(0);
  return values.some((value) => value.includes(text));
}

/** Id of the key that an entry is encrypted under. */
async function keyIdAt(encryption: EncryptionService, at: string): Promise<string> {
  const bytes = await recordAt(at);
  const { payloadStart, payloadEnd } = readRecord(bytes)!;
  return encryption.inspect(bytes.subarray(payloadStart, payloadEnd)).keyId;
}

describe('an encrypted cache', () => {
  it('gives values of every kind to other processes, and no plaintext to Redis', async () => {
    const namespace = fresh();
    const options = { compression: { algorithm: 'gzip', threshold: '1kb' }, errors: { ttl: '1m' } } as const;
    const { cache } = await start(namespace, { cache: options });
    const value = {
      text: SECRET,
      at: new Date(0),
      map: new Map([[1, Buffer.from(SECRET)]]),
      none: undefined,
    };
    const large = `${SECRET}, `.repeat(1_000);
    await cache.setMany([
      ['value', value],
      ['large', large],
      ['undefined', undefined],
      ['null', null],
    ]);
    const fail = () => Promise.reject(new NotFoundException(SECRET));
    await expect(cache.getOrSet('error', fail)).rejects.toThrow(SECRET);
    expect((await recordAt(redisKey(namespace, 'large'))).length).toBeLessThan(2_000);
    expect(await isFound(namespace, SECRET)).toBe(false);

    const other = await start(namespace, { cache: options });
    const unused = () => Promise.reject(new Error('It is there'));
    expect(await other.cache.getMany(['value', 'large', 'null'])).toEqual([value, large, null]);
    expect(await other.cache.getOrSet('undefined', unused)).toBeUndefined();
    expect(await other.cache.has('undefined')).toBe(true);
    await expect(other.cache.getOrSet('error', unused)).rejects.toMatchObject({
      message: SECRET,
      status: 404,
    });
    expect(await other.cache.inspect('value')).toMatchObject({ state: 'fresh', kind: 'value' });
    expect(other.warnings()).toEqual([]);
  });

  it('would show plaintext, were it not encrypted', async () => {
    const namespace = fresh();
    const { cache } = await start(namespace, { cache: { encrypt: false } });
    await cache.set('value', { text: SECRET });
    expect(await isFound(namespace, SECRET)).toBe(true);
  });

  it('measures maxValueSize before encryption', async () => {
    const { cache } = await start(fresh(), { cache: { maxValueSize: 103, oversize: 'throw' } });
    await cache.set('value', Buffer.alloc(100));
    expect(await cache.get('value')).toEqual(Buffer.alloc(100));
    await expect(cache.set('value', Buffer.alloc(101))).rejects.toThrow('maxValueSize');
  });

  it('has leases on its entries, and expires them', async () => {
    const namespace = fresh();
    const { cache, warnings } = await start(namespace, { cache: { stale: '1h' } });
    await cache.set('value', 1, { tags: ['a'] });
    await cache.expire('value');
    expect(await cache.get('value')).toBeUndefined();
    expect(await cache.get('value', { stale: true })).toBe(1);
    let finish: ((value: number) => void) | undefined;
    const factory = () => new Promise<number>((resolve) => (finish = resolve));
    expect(await cache.getOrSet('value', factory, { tags: ['a'] })).toBe(1);
    await eventually(() => finish !== undefined);
    expect((await cache.inspect('value')).leased).toBe(true);
    expect(await cache.get('value', { stale: true })).toBe(1);
    finish!(2);
    await eventually(async () => (await cache.get('value')) === 2);
    await cache.invalidateTags('a');
    expect(await cache.get('value')).toBeUndefined();
    expect(warnings()).toEqual([]);
  });

  it('is kept coherent between replicas', async () => {
    const namespace = fresh();
    const options = { cache: { local: {} } };
    const [one, two] = [await start(namespace, options), await start(namespace, options)];
    await one.cache.set('value', { text: SECRET }, { tags: ['a'] });
    await eventually(async () => {
      expect(await two.cache.get('value')).toEqual({ text: SECRET });
      return (await two.cache.inspect('value')).local;
    });
    await one.cache.set('value', 2, { tags: ['a'] });
    await eventually(async () => (await two.cache.get('value')) === 2);
    await two.cache.invalidateTags('a');
    await eventually(async () => (await one.cache.get('value')) === undefined);
  });
});

@Controller()
class ProfileController {
  constructor(private readonly calls: Calls) {}

  @Get('profile')
  @HttpCache()
  profile(): object {
    return { call: this.calls.next(), text: SECRET };
  }
}

it('an HTTP response is encrypted, and served by another process', async () => {
  const namespace = fresh();
  const startServer = () =>
    startHttp(opened, {
      adapter: 'express',
      redis: server.options,
      cache: { namespace, encrypt: true, local: false },
      imports: [EncryptionModule.forRoot({ namespace: 'app', key })],
      controllers: [ProfileController],
    });
  const ask = ({ get }: HttpApplication) => get('/profile', { host: 'example.org' });
  const one = await startServer();
  const made = await ask(one);
  expect(made.body).toContain(SECRET);
  await eventually(async () => (await ask(one)).cache === 'HIT');
  expect(await isFound(namespace, SECRET)).toBe(false);
  const two = await startServer();
  expect(await ask(two)).toMatchObject({ cache: 'HIT', body: made.body });
  expect(two.calls.of()).toBe(0);
});

describe('an entry that is not what was stored under its key', () => {
  const at = (offset: number, write: (bytes: Buffer, offset: number) => void) => (bytes: Buffer) => {
    write(bytes, offset);
    return bytes;
  };
  const later = (bytes: Buffer, offset: number) =>
    bytes.writeDoubleLE(bytes.readDoubleLE(offset) + 1_000, offset);

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['altered', (bytes) => at(bytes.length - 1, (all, last) => (all[last]! ^= 1))(bytes)],
    ['fresh for longer', at(32, later)],
    ['stale for longer', at(40, later)],
    ['born later', at(24, later)],
    ['of a later generation', at(56, later)],
    ['with another tag', at(78, (bytes, offset) => bytes.write('b', offset))],
    ['with a later stamp', at(68, later)],
    ['an undefined', at(3, (bytes, offset) => (bytes[offset] = 2))],
    ['an error', at(3, (bytes, offset) => (bytes[offset] = 3))],
    ['compressed', at(5, (bytes, offset) => (bytes[offset]! |= 1))],
    ['said to be plaintext', at(5, (bytes, offset) => (bytes[offset] = 0))],
  ])('is a miss: %s', async (_, alter) => {
    const { cache, warnings } = await shared();
    await cache.set('value', SECRET, { tags: ['a'] });
    const place = redisKey(sharedNamespace, 'value');
    await admin.set(place, alter(await recordAt(place)), 'KEEPTTL');
    expect(await cache.get('value')).toBeUndefined();
    expect(await cache.has('value')).toBe(false);
    expect(await cache.getOrSet('value', () => 'made anew')).toBe('made anew');
    expect(await cache.get('value')).toBe('made anew');
    expect(warnings().join('\n')).not.toContain(SECRET);
  });

  const sharedNamespace = 'app-shared';
  const shared = () => start(sharedNamespace);

  it('is a miss where it was moved to another key, or another cache, with one warning', async () => {
    const namespace = fresh();
    const { app, cache, warnings } = await start(namespace, { named: { name: 'pages' } });
    const pages = app.get<CacheService>(getCacheToken('pages'), { strict: false });
    await cache.set('a', SECRET);
    const record = await recordAt(redisKey(namespace, 'a'));
    await admin.set(redisKey(namespace, 'b'), record);
    await admin.set(redisKey(namespace, 'a', 'pages'), record);
    expect(await cache.getMany(['a', 'b', 'b'])).toEqual([SECRET, undefined, undefined]);
    expect(await pages.get('a')).toBeUndefined();
    expect(warnings()).toEqual([
      expect.stringMatching(/^The entry of "b" cannot be read.*decrypted \(The value was altered, moved/),
    ]);
  });

  it('is a miss where it is from before encryption, or after it', async () => {
    const namespace = fresh();
    const plain = await start(namespace, { cache: { encrypt: false } });
    const encrypted = await start(namespace);
    await plain.cache.set('a', 1);
    expect(await encrypted.cache.get('a')).toBeUndefined();
    await encrypted.cache.set('b', 1);
    expect(await plain.cache.get('b')).toBeUndefined();
    // What all applications of a process say goes to the one that was started last.
    expect(encrypted.warnings()).toEqual([
      expect.stringMatching(/it is not encrypted$/),
      expect.stringMatching(/it is encrypted, and this cache is not$/),
    ]);
  });

  it('never has another value, whichever byte is changed', async () => {
    const { app } = await start(fresh());
    const options = {
      codec: msgpackCodec,
      compression: undefined,
      maxValueSize: 1_000,
      oversize: 'skip',
    } as const;
    const encryption = new EntryEncryption(app.get(EncryptionService), 'app:cache:e:default:');
    const serializer = new EntrySerializer(options, () => undefined, encryption);
    const times = { born: 1_000, freshUntil: 2_000, staleUntil: 3_000, cost: 12.5 };
    const draft = { kind: 'value', value: SECRET, ...times, tags: ['a'], stamps: [7, 8] } as const;
    const record = (await serializer.serialize('value', draft))!;
    expect((await serializer.deserialize('value', record)).entry).toMatchObject(draft);
    const changeable: number[] = [];
    for (let offset = 0; offset < record.length; offset++) {
      const changed = Buffer.from(record);
      changed[offset]! ^= 1 << (offset % 8);
      const { entry } = await serializer.deserialize('value', changed);
      if (!entry) continue;
      changeable.push(offset);
      expect({ ...entry, ...times }).toMatchObject(draft);
      expect(entry.freshUntil).toBeLessThanOrEqual(times.freshUntil);
      expect(entry.staleUntil).toBeLessThanOrEqual(times.staleUntil);
    }
    // Leases, and the ends of the ages, which may be earlier: what scripts change.
    const isOfScripts = (offset: number) => (offset >= 8 && offset < 24) || (offset >= 32 && offset < 48);
    expect(changeable.length).toBeGreaterThan(16);
    expect(changeable.filter((offset) => !isOfScripts(offset))).toEqual([]);
  });
});

describe('keys', () => {
  it('are rotated: entries under the old one are read, and what is stored anew is under the new one', async () => {
    const namespace = fresh();
    const before = await start(namespace);
    await before.cache.set('a', 1);
    const after = await start(namespace, { encryption: { key: newKey, decryptKeys: [key] } });
    const encryption = after.app.get(EncryptionService);
    const [primary, old] = encryption.keys.map(({ id }) => id);
    expect(await after.cache.get('a')).toBe(1);
    expect(await keyIdAt(encryption, redisKey(namespace, 'a'))).toBe(old);
    await after.cache.set('a', 2);
    expect(await keyIdAt(encryption, redisKey(namespace, 'a'))).toBe(primary);
    expect(await before.cache.get('a')).toBeUndefined();
    expect(after.warnings()).toEqual([expect.stringContaining(`under key ${primary}, which is not among`)]);
    expect(await before.cache.getOrSet('a', () => 3)).toBe(3);
    expect(await after.cache.get('a')).toBe(3);
  });
});

describe('the option encrypt', () => {
  it('of forFeature counts for that cache alone, and is taken over from forRoot', async () => {
    const [one, two] = [fresh(), fresh()];
    const only = await start(one, { cache: { encrypt: false }, named: { name: 'pages', encrypt: true } });
    const all = await start(two, { named: { name: 'pages' } });
    for (const { app, cache } of [only, all]) {
      await cache.set('a', SECRET);
      await app.get<CacheService>(getCacheToken('pages'), { strict: false }).set('a', SECRET);
    }
    expect((await recordAt(redisKey(one, 'a'))).includes(SECRET)).toBe(true);
    expect((await recordAt(redisKey(one, 'a', 'pages'))).includes(SECRET)).toBe(false);
    expect(await isFound(two, SECRET)).toBe(false);
  });

  it.each<[string, Given]>([
    ['default', {}],
    ['pages', { cache: { encrypt: false }, named: { name: 'pages', encrypt: true } }],
  ])('needs the module of the encryption: cache %s', async (name, given) => {
    const error: unknown = await start(fresh(), { ...given, encryption: undefined }).catch(
      (failure: unknown) => failure,
    );
    expect(error).toBeInstanceOf(CacheConfigurationError);
    expect((error as Error).message).toContain(`Cache '${name}'`);
    expect((error as Error).message).toContain(
      'encrypt: needs EncryptionService: import EncryptionModule.forRoot()',
    );
  });

  it('finds the encryption that is not global among the imports of forRoot', async () => {
    const namespace = fresh();
    const encryption = EncryptionModule.forRoot({ namespace: 'app', key, isGlobal: false });
    const options = { namespace, encrypt: true, budget: '5s' as const, imports: [encryption] };
    const { app } = await startApplication([
      RedisModule.forRoot(server.options),
      encryption,
      CacheModule.forRoot(options),
    ]);
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    await app.get(CacheService).set('a', SECRET);
    expect(await isFound(namespace, SECRET)).toBe(false);
  });

  it('asks for nothing where the cache is in memory only', async () => {
    const { app } = await startApplication([CacheModule.forRoot({ namespace: 'app', encrypt: true })]);
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    await app.get(CacheService).set('a', 1);
    expect(await app.get(CacheService).get('a')).toBe(1);
  });
});
