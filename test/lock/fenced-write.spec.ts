import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import {
  defineScript,
  fencedWrite,
  fenceKey,
  hashSlot,
  LockConfigurationError,
  type RedisClient,
} from 'rednest';
import { startCluster } from 'rednest/testing';
import { Opened } from '../support/opened.js';

const opened = new Opened();

async function connect(): Promise<RedisClient> {
  const server = await opened.server({});
  return (await opened.connection(server.options)).connection.client;
}

describe('fencedWrite', () => {
  it('accepts an equal or a larger fence, and refuses a smaller one', async () => {
    const redis = await connect();
    const write = (value: string, fence: number) => fencedWrite.run(redis, { key: 'a', value, fence });
    expect(await write('first', 5)).toBe(true);
    expect(await write('again', 5)).toBe(true);
    expect(await write('late', 4)).toBe(false);
    expect(await redis.get('a')).toBe('again');
    expect(await write('next', 6)).toBe(true);
    expect(await write('late', 5)).toBe(false);
    expect(await redis.get('a')).toBe('next');
  });

  it('tells microseconds apart', async () => {
    const redis = await connect();
    const fence = 1_795_624_667_123_456;
    expect(await fencedWrite.run(redis, { key: 'a', value: 1, fence })).toBe(true);
    expect(await fencedWrite.run(redis, { key: 'a', value: 2, fence: fence - 1 })).toBe(false);
    expect(await fencedWrite.run(redis, { key: 'a', value: 3, fence: fence + 1 })).toBe(true);
    expect(await redis.get('a')).toBe('3');
    expect(await redis.get(fenceKey('a'))).toBe(String(fence + 1));
  });

  it('writes text, bytes and numbers as they are', async () => {
    const redis = await connect();
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    await fencedWrite.run(redis, { key: 'bytes', value: bytes, fence: 1 });
    await fencedWrite.run(redis, { key: 'text', value: 'Zürich', fence: 1 });
    await fencedWrite.run(redis, { key: 'number', value: -1.5, fence: 1 });
    await fencedWrite.run(redis, { key: 'empty', value: '', fence: 1 });
    expect(await redis.getBuffer('bytes')).toEqual(bytes);
    expect(await redis.mget('text', 'number', 'empty')).toEqual(['Zürich', '-1.5', '']);
  });

  it('keeps the value for its ttl, or without end, and the fence for a day or as long as the value', async () => {
    const redis = await connect();
    const day = 86_400_000;
    await fencedWrite.run(redis, { key: 'a', value: 'x', fence: 1, ttl: '1m' });
    expect(await redis.pttl('a')).toBeGreaterThan(50_000);
    expect(await redis.pttl('a')).toBeLessThanOrEqual(60_000);
    expect(await redis.pttl(fenceKey('a'))).toBeGreaterThan(day - 10_000);
    await fencedWrite.run(redis, { key: 'a', value: 'x', fence: 1 });
    expect(await redis.pttl('a')).toBe(-1);
    await fencedWrite.run(redis, { key: 'a', value: 'x', fence: 1, ttl: '2d', fenceTtl: '1s' });
    expect(await redis.pttl(fenceKey('a'))).toBeGreaterThan(2 * day - 10_000);
    await fencedWrite.run(redis, { key: 'a', value: 'x', fence: 1, fenceTtl: Infinity });
    expect(await redis.pttl(fenceKey('a'))).toBe(-1);
  });

  it('remembers the fence of a value that was deleted or has expired', async () => {
    const redis = await connect();
    await fencedWrite.run(redis, { key: 'a', value: 'x', fence: 2 });
    await redis.del('a');
    expect(await fencedWrite.run(redis, { key: 'a', value: 'late', fence: 1 })).toBe(false);
    expect(await redis.exists('a')).toBe(0);
  });

  it.each([
    [{ value: 'x', fence: 1 }, /key.*is missing/],
    [{ key: '', value: 'x', fence: 1 }, /key.*'' is not a text/],
    [{ key: 'a', fence: 1 }, /value.*is missing/],
    [{ key: 'a', value: Number.NaN, fence: 1 }, /value.*is no text, Buffer or finite number/],
    [{ key: 'a', value: { b: 1 }, fence: 1 }, /value.*is no text, Buffer or finite number/],
    [{ key: 'a', value: 'x' }, /fence.*is missing/],
    [{ key: 'a', value: 'x', fence: 0 }, /fence.*0 is not a fence/],
    [{ key: 'a', value: 'x', fence: '7' }, /fence.*'7' is not a fence/],
    [{ key: 'a', value: 'x', fence: 1, ttl: 0 }, /ttl.*is not more than 0 ms/],
    [{ key: 'a', value: 'x', fence: 1, fenceTtl: 'soon' }, /fenceTtl.*'soon' is not a duration/],
    [{ key: 'a', value: 'x', fence: 1, tll: 5 }, /tll.*did you mean ttl/],
    [{ key: 'a{b', value: 'x', fence: 1 }, /'a\{b' has a brace, but no hash tag/],
  ])('refuses %j before anything is sent', async (write, message) => {
    const redis = new Redis({ lazyConnect: true });
    const writing = fencedWrite.run(redis, write as never);
    await expect(writing).rejects.toThrow(LockConfigurationError);
    await expect(writing).rejects.toThrow(message);
    expect(redis.status).toBe('wait');
  });

  it('writes on a Cluster, with and without a hash tag', async () => {
    const cluster = opened.add(await startCluster({ masters: 3, replicas: 0 }));
    const { connection } = await opened.connection(cluster.options);
    for (const key of ['account:7', 'account:{7}', '{account}:7', 'a:{b}:{c}', '{d}:e}f{']) {
      expect(await fencedWrite.run(connection.client, { key, value: 'new', fence: 2 })).toBe(true);
      expect(await fencedWrite.run(connection.client, { key, value: 'old', fence: 1 })).toBe(false);
      expect(await connection.client.get(key)).toBe('new');
    }
  });
});

describe('fenceKey', () => {
  it.each(['a', 'account:7', '{a}', 'x{a}y', 'x{a}y{b}', 'x{a}}', 'x{{a}', 'Zürich{é}'])(
    'lies in the slot of %j, and begins like it',
    (key) => {
      expect(hashSlot(fenceKey(key))).toBe(hashSlot(key));
      expect(fenceKey(key).startsWith(`${key}:fence`)).toBe(true);
    },
  );

  it.each(['{}a', 'a{', 'a}', 'a}b{c', '{}{a}'])('refuses %j, which has a brace but no hash tag', (key) => {
    expect(() => fenceKey(key)).toThrow(/has a brace, but no hash tag/);
  });

  it('serves scripts of an application', async () => {
    const redis = await connect();
    const pay = defineScript({
      lua: `local last = redis.call('GET', KEYS[2])
            if last and tonumber(last) > tonumber(ARGV[1]) then return 0 end
            redis.call('SET', KEYS[2], ARGV[1], 'EX', 86400)
            redis.call('HINCRBY', KEYS[1], 'paid', ARGV[2])
            return 1`,
      keys: ({ account }: { account: string; fence: number }) => [account, fenceKey(account)],
      args: ({ fence }) => [fence, 10],
      reply: (accepted) => accepted === 1,
    });
    expect(await pay.run(redis, { account: 'a', fence: 2 })).toBe(true);
    expect(await pay.run(redis, { account: 'a', fence: 1 })).toBe(false);
    expect(await redis.hget('a', 'paid')).toBe('10');
    expect(await fencedWrite.run(redis, { key: 'a', value: 'x', fence: 1 })).toBe(false);
  });
});
