import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { RedisPermissionError } from 'rednest';
import { InspectionConfigurationError, type RedisInspector, type ScanProgress } from 'rednest/diagnostics';
import { startRedis, type RedisServer } from 'rednest/testing';
import { Opened } from '../support/opened.js';
import { openInspector } from './fixtures/open-inspector.js';

const USER = { username: 'limited', password: 'limited' };
const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

describe('bigKeys', () => {
  const opened = new Opened();
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = await server.admin();
  });
  beforeEach(() => redis.flushall());
  afterAll(() => server.stop());

  const inspect = async (): Promise<RedisInspector> =>
    (await openInspector(opened, server.options)).inspector;

  async function inspectAs(...rules: string[]): Promise<RedisInspector> {
    await redis.acl('SETUSER', USER.username, 'reset', 'on', `>${USER.password}`, ...rules);
    return (await openInspector(opened, { ...server.options, ...USER })).inspector;
  }

  async function fillEachType(): Promise<void> {
    await redis.set('string', 'x'.repeat(70_000));
    await redis.rpush('list', ...numbers(600));
    await redis.hset('hash', ...numbers(1_000));
    await redis.sadd('set', ...numbers(400));
    await redis.zadd('zset', ...numbers(600));
    for (const number of numbers(200)) await redis.xadd('stream', '*', 'field', number);
  }

  it('knows the bytes and elements of each type', async () => {
    await fillEachType();
    const expected = [
      { key: 'string', type: 'string', elements: 70_000 },
      { key: 'list', type: 'list', elements: 600 },
      { key: 'hash', type: 'hash', elements: 500 },
      { key: 'set', type: 'set', elements: 400 },
      { key: 'zset', type: 'zset', elements: 300 },
      { key: 'stream', type: 'stream', elements: 200 },
    ];
    const sized = await Promise.all(
      expected.map(async (each) => ({
        ...each,
        node: 'default',
        bytes: await redis.memory('USAGE', each.key),
      })),
    );
    const inspector = await inspect();
    expect(await inspector.bigKeys({ by: 'elements' })).toEqual({
      by: 'elements',
      keys: sized,
      byType: Object.fromEntries(expected.map(({ type, elements }) => [type, { keys: 1, elements }])),
      scanned: 6,
      complete: true,
      failure: undefined,
      omitted: [],
    });
    expect(await inspector.bigKeys()).toMatchObject({
      by: 'bytes',
      keys: sized.toSorted((left, right) => Number(right.bytes) - Number(left.bytes)),
      byType: Object.fromEntries(sized.map(({ type, bytes }) => [type, { keys: 1, bytes }])),
    });
  });

  it('tells those of one size by their names, as many as asked for, and keys that are no text', async () => {
    const raw = Buffer.from([0xff, 0x00, 0x61]);
    await redis.set(raw, 'x'.repeat(2_000));
    for (const number of numbers(1_500)) await redis.set(`tie:${String(number).padStart(4, '0')}`, 'same');
    const inspector = await inspect();
    const { keys, byType, scanned } = await inspector.bigKeys({ by: 'elements', top: 4 });
    expect(keys).toMatchObject([
      { key: '\\xff\\x00a', raw, elements: 2_000 },
      ...['tie:0000', 'tie:0001', 'tie:0002'].map((key) => ({ key, elements: 4 })),
    ]);
    expect(byType).toEqual({ string: { keys: 1_501, elements: 2_000 + 4 * 1_500 } });
    expect(scanned).toBe(1_501);
    expect((await inspector.bigKeys({ match: 'tie:000*' })).scanned).toBe(10);
  });

  it('tells how far it is, until the end, also where who is told fails', async () => {
    await redis.mset(Object.fromEntries(numbers(5_000).map((number) => [`key:${number}`, 'value'])));
    const told: ScanProgress[] = [];
    const { complete } = await (
      await inspect()
    ).bigKeys({
      onProgress: (progress) => {
        told.push(progress);
        throw new Error('who is told fails');
      },
    });
    expect(complete).toBe(true);
    expect(told.length).toBeGreaterThan(5);
    const done = told.map((progress) => progress.done);
    expect(done).toEqual(done.toSorted((left, right) => left - right));
    expect(told.at(-1)).toEqual({ done: 5_000, total: 5_000 });
  });

  it('stops at the limit and with the signal, and reports what it has found', async () => {
    await redis.mset(Object.fromEntries(numbers(3_000).map((number) => [`key:${number}`, 'value'])));
    const inspector = await inspect();
    expect(await inspector.bigKeys({ limit: 1_234 })).toMatchObject({
      scanned: 1_234,
      complete: false,
      failure: undefined,
      byType: { string: { keys: 1_234 } },
    });
    expect(await inspector.bigKeys({ limit: 3_000 })).toMatchObject({ scanned: 3_000, complete: true });
    const stop = new AbortController();
    const stopped = await inspector.bigKeys({ signal: stop.signal, onProgress: () => stop.abort() });
    expect(stopped).toMatchObject({ complete: false, failure: undefined });
    expect(stopped.keys).toHaveLength(20);
    expect(stopped.scanned).toBeLessThan(3_000);
    expect(stopped.byType['string']?.keys).toBe(stopped.scanned);
  });

  it('leaves out keys that are gone when it asks', async () => {
    await redis.mset(Object.fromEntries(numbers(3_000).map((number) => [`key:${number}`, 'value'])));
    await redis.rpush('stays', 1, 2, 3);
    const { inspector, connection } = await openInspector(opened, server.options);
    const [master] = connection.masters();
    const scan = master!.scanBuffer.bind(master) as (...args: unknown[]) => Promise<[Buffer, Buffer[]]>;
    const told: string[] = [];
    // Between the page and the questions.
    Object.assign(master!, {
      scanBuffer: async (...args: unknown[]) => {
        const page = await scan(...args);
        const gone = page[1].map(String).filter((key) => key !== 'stays');
        if (gone.length > 0) await redis.del(gone);
        told.push(...gone);
        return page;
      },
    });
    for (const by of ['bytes', 'elements'] as const)
      expect(await inspector.bigKeys({ by })).toMatchObject({
        complete: true,
        keys: [{ key: 'stays', elements: 3 }],
        byType: { list: { keys: 1 } },
      });
    expect(told).toHaveLength(3_000);
  });

  it('does without what the user may not ask, and says so', async () => {
    await fillEachType();
    const withoutMemory = await (await inspectAs('~*', '+@all', '-memory')).bigKeys();
    expect(withoutMemory).toMatchObject({
      by: 'elements',
      complete: true,
      omitted: [{ part: 'MEMORY USAGE', node: 'default', reason: 'not permitted' }],
    });
    expect(withoutMemory.keys.map(({ key, bytes, elements }) => [key, bytes, elements])).toEqual([
      ['string', undefined, 70_000],
      ['list', undefined, 600],
      ['hash', undefined, 500],
      ['set', undefined, 400],
      ['zset', undefined, 300],
      ['stream', undefined, 200],
    ]);
    const withoutType = await (await inspectAs('~*', '+@all', '-type')).bigKeys();
    expect(withoutType).toMatchObject({
      by: 'bytes',
      byType: { unknown: { keys: 6 } },
      omitted: [{ part: 'TYPE', reason: 'not permitted' }],
    });
    const withoutLength = await (await inspectAs('~*', '+@all', '-hlen')).bigKeys({ by: 'elements' });
    expect(withoutLength.keys.map(({ key }) => key)).toEqual(['string', 'list', 'set', 'zset', 'stream']);
    expect(withoutLength).toMatchObject({ omitted: [{ part: 'HLEN', reason: 'not permitted' }] });
    const ofSome = await (await inspectAs('~s*', '+@all')).bigKeys();
    expect(ofSome.keys.map(({ key }) => key).toSorted()).toEqual(['set', 'stream', 'string']);
    expect(ofSome).toMatchObject({ scanned: 6, omitted: [{ part: 'some keys', reason: 'not permitted' }] });
    await expect((await inspectAs('~*', '+@all', '-scan')).bigKeys()).rejects.toThrow(RedisPermissionError);
  });

  it('needs no more than the rules that the guide tells', async () => {
    await fillEachType();
    const rules = '+scan +dbsize +info +type +memory|usage +strlen +llen +hlen +scard +zcard +xlen';
    const inspector = await inspectAs('~*', ...`${rules} +hello +client +ping`.split(' '));
    expect(await inspector.bigKeys()).toMatchObject({ complete: true, scanned: 6, omitted: [] });
  });

  it('does without a command that the server does not have', async () => {
    const renamed = await opened.server({ config: { 'rename-command': 'MEMORY ""' } });
    await (await renamed.admin()).set('key', 'value');
    const { inspector } = await openInspector(opened, renamed.options);
    expect(await inspector.bigKeys()).toMatchObject({
      by: 'elements',
      keys: [{ key: 'key', elements: 5 }],
      omitted: [{ part: 'MEMORY USAGE', reason: 'not available' }],
    });
  });

  it('refuses wrong options, all at once', async () => {
    const wrong = { top: 0, by: 'size', limit: -1, match: '', onProgress: 1, signal: {}, more: true };
    const inspector = await inspect();
    const refused: unknown = await inspector.bigKeys(wrong as never).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InspectionConfigurationError);
    const { problems } = refused as InspectionConfigurationError;
    expect(problems.map(({ option }) => option).toSorted()).toEqual(Object.keys(wrong).toSorted());
  });
});
