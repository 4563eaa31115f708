import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { IsString } from 'class-validator';
import type { Redis } from 'ioredis';
import {
  Encrypted,
  encryptionChannel,
  EncryptionConfigurationError,
  RedisClosedError,
  RedisOutOfMemoryError,
  RedisUnavailableError,
  type EncryptionModuleOptions,
  type RotationProgress,
  type RotationReport,
} from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { Rotation } from '../../src/encryption/rotation/rotation.js';
import { Opened } from '../support/opened.js';
import { EncryptedApplication, testKey } from './fixtures/encrypted-application.js';

const OLD = testKey('aaaa0001');
const NEW = testKey('bbbb0002');
const STRANGE = testKey('cccc0003');
const ROTATED = { key: NEW, decryptKeys: [OLD], reencryptOnRead: false };

class Card {
  @IsString() holder!: string;
  @Encrypted({ index: true }) @IsString() number!: string;
}

/** A token as blind indexes have it. */
const token = (keyId: string) => `${keyId}.${'t'.repeat(43)}`;
const NAMES = Array.from({ length: 2_000 }, (_, number) => `v:${number}`);

describe('a rotation', () => {
  const opened = new Opened();
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = await server.admin();
  });
  beforeEach(() => redis.flushall());
  afterAll(() => server.stop());

  async function start(options: EncryptionModuleOptions): Promise<EncryptedApplication> {
    return opened.add(await EncryptedApplication.start(server.options, options));
  }

  async function fill(names = NAMES): Promise<void> {
    const { store } = await start({ key: OLD });
    await store.setMany(names.map((name) => [name, { name }] as const));
  }

  it('encrypts values and fields anew where they are, with their times to live, and nothing else', async () => {
    const before = await start({ key: OLD });
    await before.store.set('text', 'for ever');
    await before.store.set('json', { a: [1] }, { ttl: '2h' });
    await before.store.set('bytes', Buffer.from([1, 2]), { ttl: 90_001 });
    await before.store.set('with context', 1, { context: 'tenant:7', ttl: '1h' });
    await before.store.hset('hash', { a: 'A', b: { c: 1 } }, { ttl: '3h' });
    await before.store.hset('hash with context', { a: 'A' }, { context: 'a' });
    const fields = Array.from({ length: 1_500 }, (_, at) => [`f${at}`, at] as const);
    await before.store.hset('large', Object.fromEntries(fields));
    await redis.hset('encrypted:hash', 'plain', 'not to be encrypted');
    await redis.set('encrypted:plain', 'plain', 'PX', 500_000);
    await redis.lpush('encrypted:list', 'a');
    await redis.zadd('encrypted:zset', 1, 'a');
    await before.store.namespace('encrypted-too').set('text', 'of another namespace');
    await redis.set('encryptedX', Buffer.from([0xc1, 1, 2, 3, 4, 5, 6]));
    const names = await redis.keys('*');
    const expiries = () => Promise.all(names.map((name) => redis.pexpiretime(name)));
    const untouched = () =>
      Promise.all(
        ['encrypted:plain', 'encrypted:list', 'encrypted:zset', 'encrypted-too:text', 'encryptedX'].map(
          (name) => redis.dumpBuffer(name),
        ),
      );
    const [times, others] = [await expiries(), await untouched()];

    const { store } = await start(ROTATED);
    const report = await store.rotate({
      contextOf: (key, field) =>
        key === 'with context' ? 'tenant:7' : key === 'hash with context' ? field : undefined,
    });

    expect(report).toMatchObject({ completed: true, resume: undefined, reencrypted: 1_507, refused: 0 });
    expect(report.usage).toEqual({
      keys: [
        { keyId: NEW.id, role: 'primary', values: 4, fields: 1_503, indexEntries: 0 },
        { keyId: OLD.id, role: 'decrypt', values: 0, fields: 0, indexEntries: 0 },
      ],
      plaintext: 2,
      removable: [OLD.id],
    });
    expect(await expiries()).toEqual(times);
    expect(await untouched()).toEqual(others);
    const after = await start({ key: NEW });
    expect(await after.store.getMany(['text', 'json', 'bytes'])).toEqual([
      'for ever',
      { a: [1] },
      Buffer.from([1, 2]),
    ]);
    expect(await after.store.get('with context', { context: 'tenant:7' })).toBe(1);
    expect(await after.store.hgetall('large')).toEqual(Object.fromEntries(fields));
    expect(await after.store.hget('hash', 'b')).toEqual({ c: 1 });
    expect(await after.store.hget('hash with context', 'a', { context: 'a' })).toBe('A');
    expect(await redis.hget('encrypted:hash', 'plain')).toBe('not to be encrypted');
  });

  it('leaves what cannot be read, counts it and warns once', async () => {
    const before = await start({ key: OLD });
    await before.store.set('context', 1, { context: 'a' });
    await before.store.set('moved', 1);
    await redis.rename('encrypted:moved', 'encrypted:elsewhere');
    await before.store.hset('hash', { good: 1 });
    const raw = (await redis.hgetBuffer('encrypted:hash', 'good'))!;
    await redis.hset('encrypted:hash', 'tampered', raw);
    const strange = await start({ key: STRANGE });
    await strange.store.set('strange', 1);
    await redis.set('encrypted:short', Buffer.from([0xc1, 1]));

    const application = await start(ROTATED);
    const report = await application.store.rotate();

    expect(report).toMatchObject({ completed: true, reencrypted: 1, refused: 5 });
    expect(report.usage).toMatchObject({
      keys: [
        { keyId: NEW.id, fields: 1, values: 0 },
        { keyId: OLD.id, fields: 1, values: 2 },
        { keyId: STRANGE.id, role: 'unknown', values: 1 },
      ],
      removable: [],
    });
    const lines = application.log.texts('EncryptionModule');
    expect(lines.filter((line) => line.includes('leaves a value'))).toHaveLength(1);
    expect(application.service.stats().refused).toBe(2);
  });

  it('stops when it is told to, and goes on where it was', async () => {
    await fill();
    const { store } = await start(ROTATED);
    let resume: string | undefined;
    let reencrypted = 0;
    let report: RotationReport;
    let runs = 0;
    do {
      const stop = new AbortController();
      report = await store.rotate({
        ...(resume !== undefined && { resume }),
        signal: stop.signal,
        onProgress: ({ phase, done }) => {
          if (phase === 'rotating' && done < 2_000) stop.abort();
        },
      });
      ({ resume } = report);
      reencrypted += report.reencrypted;
      expect(report.completed).toBe(resume === undefined);
      expect(report.failure).toBeUndefined();
    } while (resume !== undefined && ++runs < 20);
    expect(report.completed).toBe(true);
    expect(runs).toBeGreaterThanOrEqual(2);
    // Each was encrypted in one of the runs: none looked at all of them again.
    expect(reencrypted).toBe(2_000);
    expect(report.usage?.removable).toEqual([OLD.id]);
  });

  it('refuses to go on with what is of another rotation', async () => {
    await fill(['a']);
    const { store } = await start(ROTATED);
    const stopped = AbortSignal.abort();
    const { resume } = await store.rotate({ signal: stopped, match: 'v:*' });
    await expect(store.rotate({ resume: resume! })).rejects.toThrow(
      /resume: .*match 'v:\*', and this one has '\*'/,
    );
    await expect(store.rotate({ resume: 'nonsense' })).rejects.toThrow(EncryptionConfigurationError);
    const other = await start({ key: STRANGE, decryptKeys: [OLD] });
    await expect(other.store.rotate({ resume: resume!, match: 'v:*' })).rejects.toThrow(/primary key/);
  });

  it('begins again with a server that is another one now', async () => {
    await fill();
    const { store } = await start(ROTATED);
    const { resume } = await stopAtFirstPage(store);
    const other = Buffer.from(resume!, 'base64url')
      .toString()
      .replace(/"[0-9a-f]{40}"/, `"${'0'.repeat(40)}"`);
    const report = await store.rotate({ resume: Buffer.from(other).toString('base64url') });
    expect(report).toMatchObject({ completed: true, usage: { removable: [OLD.id] } });
  });

  it('tells how far it is: ever further, and all in the end', async () => {
    await fill();
    const { store } = await start(ROTATED);
    const told: RotationProgress[] = [];
    await store.rotate({ onProgress: (progress) => void told.push(progress) });
    for (const phase of ['rotating', 'counting'] as const) {
      const done = told.filter((each) => each.phase === phase).map((each) => each.done);
      expect(done).toEqual(done.toSorted((a, b) => a - b));
      expect(done.at(-1)).toBe(2_000);
      expect(done.length).toBeGreaterThan(3);
    }
    expect(told.every(({ total }) => total === 2_000)).toBe(true);
    expect(told.at(-1)!.reencrypted).toBe(2_000);
  });

  it('goes on where the callback of the progress fails, and says so', async () => {
    await fill(['a']);
    const { store, log } = await start(ROTATED);
    const onProgress = () => {
      throw new Error('no terminal');
    };
    expect(await store.rotate({ onProgress })).toMatchObject({ completed: true, reencrypted: 1 });
    // oxlint-disable-next-line typescript/no-misused-promises
    expect(await store.rotate({ onProgress: async () => onProgress() })).toMatchObject({ completed: true });
    expect(log.texts('EncryptionModule')).toContainEqual(expect.stringContaining('no terminal'));
  });

  it('ends with what contextOf throws', async () => {
    await fill(['a']);
    const { store } = await start(ROTATED);
    const contextOf = () => {
      throw new Error('no tenant');
    };
    await expect(store.rotate({ contextOf })).rejects.toThrow('no tenant');
    const later = (async () => 'tenant') as never;
    await expect(store.rotate({ contextOf: later })).rejects.toThrow(/contextOf: gives .*is not a text/);
  });

  it('encrypts what is not encrypted only where it is asked to, and while that is accepted', async () => {
    await redis.set('encrypted:old:a', 'plain', 'PX', 500_000);
    await redis.set('encrypted:old:empty', '');
    await redis.hset('encrypted:old:h', { f: 'field' });
    await redis.set('encrypted:other', 'stays');
    const expiry = await redis.pexpiretime('encrypted:old:a');
    const options = { plaintext: 'encrypt', match: 'old:*' } as const;
    const strict = await start(ROTATED);
    await expect(strict.store.rotate(options)).rejects.toThrow(/plaintext: .*migratePlaintext/);
    const { store } = await start({
      ...ROTATED,
      migratePlaintext: { until: new Date(Date.now() + 3_600_000) },
    });
    await expect(store.rotate({ plaintext: 'encrypt' })).rejects.toThrow(/match: is needed/);
    expect(await store.rotate(options)).toMatchObject({
      completed: true,
      reencrypted: 3,
      usage: { plaintext: 0, removable: [] },
    });
    expect(await strict.store.getMany(['old:a', 'old:empty'])).toEqual(['plain', '']);
    expect(await strict.store.hget('old:h', 'f')).toBe('field');
    expect(await redis.pexpiretime('encrypted:old:a')).toBe(expiry);
    expect(await redis.get('encrypted:other')).toBe('stays');
  });

  it('has entries of blind indexes moved by who keeps them, and counts those that nobody keeps', async () => {
    const prefix = 'encrypted:idx:card:number:';
    await redis.zadd(prefix + token(OLD.id), 0, 'card:1');
    await redis.zadd(prefix + token(NEW.id), 0, 'card:2');
    await redis.zadd(`encrypted:idx:other:${token(OLD.id)}`, 0, 'x:1');
    const { store, parts } = await start(ROTATED);
    const reindexed: string[] = [];
    parts.reindexers.set(prefix, {
      reindex: async (each) => {
        reindexed.push(each);
        await redis.rename(prefix + each, prefix + token(NEW.id));
        return { moved: 1, left: 0 };
      },
    });
    const report = await store.rotate();
    expect(reindexed).toEqual([token(OLD.id)]);
    expect(report).toMatchObject({ reindexed: 1, indexEntriesLeft: 1, usage: { removable: [] } });
    expect(report.usage?.keys.map(({ indexEntries }) => indexEntries)).toEqual([1, 1]);
  });

  it('leaves records to be found by their indexes, without the old key', async () => {
    const before = await start({ key: OLD });
    const cards = before.records.for(Card);
    const ids = Array.from({ length: 40 }, (_, number) => String(number));
    for (const id of ids) await cards.save(id, { holder: `holder ${id}`, number: `4111 ${Number(id) % 20}` });

    const { store, records } = await start(ROTATED);
    // Who does not know the records cannot know what they are found by.
    expect(await store.rotate()).toMatchObject({ indexEntriesLeft: 20, usage: { removable: [] } });
    records.for(Card);
    const report = await store.rotate();

    expect(report).toMatchObject({ refused: 0, reindexed: 40, indexEntriesLeft: 0 });
    expect(report.usage).toMatchObject({ removable: [OLD.id], keys: [{ indexEntries: 20 }, {}] });
    const after = (await start({ key: NEW })).records.for(Card);
    const found = await after.find('number', '4111 7');
    expect(found.map(({ id }) => id).toSorted()).toEqual(['27', '7']);
    expect(await after.load('7')).toEqual({ holder: 'holder 7', number: '4111 7' });
  });

  it('loses nothing of what is written meanwhile, by whichever key', async () => {
    await fill();
    const old = await start({ key: OLD, decryptKeys: [NEW], reencryptOnRead: false });
    const { store } = await start(ROTATED);
    const latest = new Map<string, number>();
    const over = new AbortController();
    const write = async (writer: EncryptedApplication, share: string[]) => {
      for (let count = 0; !over.signal.aborted; count++) {
        const names = share.slice((count * 20) % share.length).slice(0, 20);
        await writer.store.setMany(names.map((name) => [name, count] as const));
        for (const name of names) latest.set(name, count);
      }
    };
    const writers = [write(old, NAMES.slice(0, 200)), write(await start(ROTATED), NAMES.slice(200, 400))];
    expect(await store.rotate()).toMatchObject({ completed: true, refused: 0 });
    over.abort();
    await Promise.all(writers);
    expect(await store.rotate()).toMatchObject({ completed: true, usage: { removable: [OLD.id] } });
    const after = await start({ key: NEW });
    const expected = NAMES.map((name) => latest.get(name) ?? { name });
    expect(await after.store.getMany(NAMES)).toEqual(expected);
    expect(latest.size).toBe(400);
  });

  it('goes on over a restart of the server', async () => {
    await fill();
    const { store } = await start(ROTATED);
    let restarted: Promise<unknown> | undefined;
    const report = await store.rotate({
      concurrency: 10,
      onProgress: ({ done }) => {
        if (done > 0)
          restarted ??= redis
            .save()
            .then(() => server.kill())
            .then(() => server.restart());
      },
    });
    await restarted;
    redis = await server.admin();
    expect(report).toMatchObject({ completed: true, failure: undefined });
    expect((await store.keyUsage()).keys).toMatchObject([{ values: 2_000 }, { values: 0 }]);
    expect(report.usage).toMatchObject({ keys: [{ values: 2_000 }, { values: 0 }], removable: [OLD.id] });
  });

  it('says where to go on where Redis stays away', async () => {
    await fill(['a']);
    await redis.save();
    const { parts } = await start(ROTATED);
    await server.kill();
    const report = await new Rotation(parts, 'encrypted', 300).rotate();
    await server.restart();
    redis = await server.admin();
    expect(report).toMatchObject({ completed: false, usage: undefined, reencrypted: 0 });
    expect(report.failure).toBeInstanceOf(RedisUnavailableError);
    const next = await new Rotation(parts, 'encrypted').rotate({ resume: report.resume! });
    expect(next).toMatchObject({ completed: true, failure: undefined, reencrypted: 1 });
  });

  it('ends with the application', async () => {
    await fill();
    const { store, app } = await start(ROTATED);
    let closed: Promise<void> | undefined;
    const rotation = store.rotate({ onProgress: () => void (closed ??= app.close()) });
    const { completed, resume, failure } = await rotation;
    await closed;
    expect(failure).toBeInstanceOf(RedisClosedError);
    expect(completed).toBe(false);
    const next = await start(ROTATED);
    expect(await next.store.rotate({ resume })).toMatchObject({ usage: { removable: [OLD.id] } });
  });

  it('tells of its end on a channel, and in one line of the log', async () => {
    await fill(['a', 'b']);
    const { store, log } = await start(ROTATED);
    const told: unknown[] = [];
    const listen = (event: unknown) => void told.push(event);
    subscribe(encryptionChannel('rotated'), listen);
    const report = await store.rotate();
    unsubscribe(encryptionChannel('rotated'), listen);
    expect(told).toEqual([{ connectionId: expect.any(String), namespace: 'encrypted', report }]);
    expect(log.texts('EncryptionModule')).toEqual([
      `The rotation of 'encrypted' is complete: 2 encrypted anew, 0 refused; unused keys: ${OLD.id}`,
    ]);
  });

  it('counts what is under which key, for a pattern too, and can be stopped', async () => {
    await fill(['a:1', 'a:2', 'b:1']);
    const { store } = await start(ROTATED);
    const counted = await store.keyUsage({ match: 'a:*' });
    expect(counted.keys).toMatchObject([{ values: 0 }, { keyId: OLD.id, values: 2 }]);
    // What is under other names may still need it.
    expect((await store.keyUsage({ match: 'c:*' })).removable).toEqual([]);
    const reason = new Error('enough');
    await expect(store.keyUsage({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('says where to go on after an error that waiting does not help', async () => {
    await fill(['a']);
    const { store } = await start(ROTATED);
    await redis.config('SET', 'maxmemory', 1);
    const report = await store.rotate();
    await redis.config('SET', 'maxmemory', 0);
    expect(report).toMatchObject({ completed: false, reencrypted: 0, usage: undefined });
    expect(report.failure).toBeInstanceOf(RedisOutOfMemoryError);
    expect(await store.rotate({ resume: report.resume })).toMatchObject({ completed: true, reencrypted: 1 });
  });

  it.each([
    ['no run_id', () => '', /INFO gives no run_id/],
    ['another run_id at each look', (look: number) => `run_id:${look}`, /another server answered/],
  ])('does not walk through a server that gives %s', async (_, info, message) => {
    await fill(['a']);
    const { parts } = await start(ROTATED);
    const [master] = parts.connection.masters();
    let looks = 0;
    master!.info = async () => info(++looks);
    const { completed, failure } = await new Rotation(parts, 'encrypted', 300).rotate();
    expect(completed).toBe(false);
    expect(failure?.message).toMatch(message);
  });

  it.each([
    { concurrency: 0 },
    { match: '' },
    { signal: {} },
    { onProgress: 'bar' },
    { contextOf: {} },
    { plaintext: 'drop' },
    { mach: '*' },
  ])('refuses %p', async (options) => {
    const { store } = await start(ROTATED);
    await expect(store.rotate(options as object)).rejects.toThrow(EncryptionConfigurationError);
  });

  async function stopAtFirstPage(store: EncryptedApplication['store']): Promise<RotationReport> {
    const stop = new AbortController();
    return store.rotate({ signal: stop.signal, onProgress: () => stop.abort() });
  }
});
