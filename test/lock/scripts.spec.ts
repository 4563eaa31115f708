import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { namespace, type RedisClient } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { Resources, type Resource } from '../../src/lock/server/resource.js';
import {
  acquireScript,
  pollScript,
  releaseScript,
  renewScript,
  revokeScript,
  type AcquireReply,
  type PollReply,
  type QueuedReply,
} from '../../src/lock/server/scripts.js';

const wakes = { channel: 'lock:wake:', counted: true, text: '1 lock:wake:' };
const uncounted = { channel: 'lock:wake:', counted: false, text: '0 lock:wake:' };
const waiting = { term: 2_500, patience: 60_000 };
const TTL = 60_000;

const resources = new Resources(namespace('lock'));
const lock = resources.lock('tour');

let server: RedisServer;
let redis: RedisClient;
beforeAll(async () => {
  server = await startRedis();
  redis = await server.admin();
});
afterEach(() => redis.flushall());
afterAll(() => server.stop());

interface Asking {
  readonly ttl?: number;
  readonly waits?: boolean;
  readonly wakes?: typeof wakes;
}

function acquire(resource: Resource, token: string, asking: Asking = {}): Promise<AcquireReply> {
  const { ttl = TTL, waits = false } = asking;
  const input = { resource, token, ttl, waiting: waits ? waiting : undefined, wakes: asking.wakes ?? wakes };
  return acquireScript.run(redis, input);
}

async function granted(resource: Resource, token: string, asking?: Asking): Promise<number> {
  const fence = await acquire(resource, token, asking);
  expect(fence).toBeGreaterThan(0);
  return fence as number;
}

async function queued(resource: Resource, token: string, asking?: Asking): Promise<string> {
  const { arrival } = (await acquire(resource, token, { waits: true, ...asking })) as QueuedReply;
  return arrival!;
}

async function renews(resource: Resource, token: string, own: number, fence = own): Promise<boolean> {
  const [held] = await renewScript.run(redis, [{ resource, token, granted: own, fence, ttl: TTL }]);
  return held!;
}

function poll(
  resource: Resource,
  waiters: readonly [token: string, arrival: string][],
): Promise<PollReply[]> {
  const polled = waiters.map(([token, arrival]) => ({ resource, token, arrival, ttl: TTL, waiting }));
  return pollScript.run(redis, { wakes, waiters: polled });
}

async function holders({ keys }: Resource): Promise<string[]> {
  return (await redis.hkeys(keys[0])).filter((field) => field !== 'fence' && field !== 'limit').toSorted();
}

function queue({ keys }: Resource): Promise<string[]> {
  return redis.zrange(keys[1], '0', '-1');
}

/** How often a command was called while something was done. */
async function calls(command: string, work: () => Promise<unknown>): Promise<number> {
  await redis.config('RESETSTAT');
  await work();
  const statistics = await redis.info('commandstats');
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(statistics)?.[1] ?? 0);
}

describe('who asks again, since the reply was lost,', () => {
  it.each([
    ['and PUBLISH does not count all', uncounted],
    ['and PUBLISH counts all', wakes],
  ])('is let in once where it waited, %s', async (_, how) => {
    const permits = resources.semaphore('tour', 2);
    await granted(permits, 'one:1.a', { ttl: 100 });
    await granted(permits, 'one:1.b');
    await queued(permits, 'two:2.c', { wakes: how });
    await sleep(150);
    await granted(permits, 'two:2.c', { waits: true, wakes: how });
    expect(await holders(permits)).toEqual(['one:1.b', 'two:2.c']);
    expect(await queue(permits)).toEqual([]);
    // With the whole of its time.
    const [ends = 0] = String(await redis.hget(permits.keys[0], 'two:2.c')).split(' ', 1);
    expect(Number(ends) / 1_000).toBeGreaterThan(Date.now() + TTL / 2);
    expect(await acquire(permits, 'three:3.d')).toMatchObject({ arrival: undefined });
  });

  it('leaves the queue where it holds the resource', async () => {
    const fence = await granted(lock, 'one:1.a');
    const arrival = String(Date.now() * 1_000);
    for (const again of [
      () => acquire(lock, 'one:1.a', { waits: true }),
      async () => (await poll(lock, [['one:1.a', arrival]]))[0]!.fence,
    ]) {
      await redis.zadd(lock.keys[1], arrival, 'one:1.a');
      expect(await again()).toBe(fence);
      expect(await queue(lock)).toEqual([]);
      expect(await redis.exists(lock.keys[2])).toBe(0);
    }
  });
});

describe('many who wait for the same', () => {
  const permits = resources.semaphore('tour', 20);

  it('and ask together have its holders read once', async () => {
    for (let index = 0; index < 20; index++) await granted(permits, `one:1.${index}`);
    const waiters: [string, string][] = [];
    for (let index = 0; index < 50; index++)
      waiters.push([`two:2.${index}`, await queued(permits, `two:2.${index}`)]);
    let replies: PollReply[] = [];
    const reads = await calls('hgetall', async () => (replies = await poll(permits, waiters)));
    expect(reads).toBe(1);
    expect(replies.every(({ fence, remaining }) => fence === 0 && remaining > 0)).toBe(true);
  });

  it('and ask together are let in as many as fit, in their order, each with a fence and the whole time', async () => {
    for (let index = 0; index < 20; index++)
      await granted(permits, `one:1.${index}`, { ttl: index < 3 ? 300 : TTL });
    const waiters: [string, string][] = [];
    for (let index = 0; index < 10; index++)
      waiters.push([`two:2.${index}`, await queued(permits, `two:2.${index}`)]);
    await sleep(350);
    const replies = await poll(permits, waiters);
    const fences = replies.map(({ fence }) => fence);
    expect(fences.findIndex((fence) => fence === 0)).toBe(3);
    expect(fences.slice(3).every((fence) => fence === 0)).toBe(true);
    expect(fences[0]! < fences[1]! && fences[1]! < fences[2]!).toBe(true);
    expect(replies.slice(0, 3).every(({ remaining }) => remaining > TTL / 2)).toBe(true);
    expect(await queue(permits)).toEqual(waiters.slice(3).map(([token]) => token));
    expect(await holders(permits)).toHaveLength(20);
  });

  it('of several resources are told of their own', async () => {
    const other = resources.lock('cruise');
    const fence = await granted(lock, 'one:1.a');
    await granted(other, 'one:1.b', { ttl: 200 });
    const input = { ttl: TTL, waiting };
    const waiters = [
      { ...input, resource: lock, token: 'two:2.a', arrival: await queued(lock, 'two:2.a') },
      { ...input, resource: other, token: 'two:2.b', arrival: await queued(other, 'two:2.b') },
      { ...input, resource: lock, token: 'two:2.c', arrival: await queued(lock, 'two:2.c') },
    ];
    await sleep(250);
    const replies = await pollScript.run(redis, { wakes, waiters });
    expect(replies[0]).toMatchObject({ fence: 0, last: fence });
    expect(replies[1]!.fence).toBeGreaterThan(0);
    expect(replies[2]).toMatchObject({ fence: 0, last: fence });
    expect(await queue(lock)).toEqual(['two:2.a', 'two:2.c']);
  });

  it('whose process does not listen cost one message for all of them, and keep their places', async () => {
    await granted(lock, 'one:1.a');
    const tokens = Array.from({ length: 30 }, (_, index) => `dead:2.${index}`);
    for (const token of tokens) await queued(lock, token);
    await queued(lock, 'other:3.a');
    const messages = await calls('publish', () =>
      releaseScript.run(redis, { keys: lock.keys, token: 'one:1.a', wakes }),
    );
    expect(messages).toBe(2);
    expect(await queue(lock)).toEqual([...tokens, 'other:3.a']);
    expect(await holders(lock)).toEqual([]);
  });
});

describe('a lease that Redis does not know any more', () => {
  it('is not brought back by a fence that it shares with others, where it was released by force', async () => {
    const own = await granted(lock, 'one:1.a');
    await revokeScript.run(redis, { resource: lock, wakes });
    const shared = (await granted(resources.lock('cruise'), 'one:1.b')) + 1_000;
    expect(await renews(lock, 'one:1.a', own, shared)).toBe(false);
    expect(await holders(lock)).toEqual([]);
  });

  it.each([
    ['of a semaphore', resources.semaphore('tour', 3), 3],
    ['of readers', resources.readers('tour'), 3],
    ['of one', lock, 1],
  ])('comes back after data were lost, with all that were held beside it, %s', async (_, resource, count) => {
    const fences: number[] = [];
    for (let index = 0; index < count; index++) fences.push(await granted(resource, `one:1.${index}`));
    await redis.flushall();
    // Twice: a renewal must not make what it renews stand in the way of those that come later.
    for (let round = 0; round < 2; round++)
      for (const index of [1, 0, 2].filter((each) => each < count))
        for (let times = 0; times < 2; times++)
          expect(await renews(resource, `one:1.${index}`, fences[index]!)).toBe(true);
    expect(await holders(resource)).toHaveLength(count);
  });

  it('of a semaphore comes back where only the number of permits is noted still', async () => {
    const permits = resources.semaphore('tour', 3);
    const fence = await granted(permits, 'one:1.a');
    await redis.hdel(permits.keys[0], 'one:1.a', 'fence');
    expect(await renews(permits, 'one:1.a', fence)).toBe(true);
  });

  it('does not come back where others have got all that there was, nor after anyone has got it since', async () => {
    const permits = resources.semaphore('tour', 2);
    const before = [await granted(permits, 'one:1.a'), await granted(permits, 'one:1.b')] as const;
    await redis.flushall();
    await renews(permits, 'one:1.a', before[0]);
    await granted(permits, 'two:2.a');
    expect(await renews(permits, 'one:1.b', before[1])).toBe(false);
    const fence = await granted(lock, 'one:1.a');
    await redis.flushall();
    await granted(lock, 'two:2.a');
    await releaseScript.run(redis, { keys: lock.keys, token: 'two:2.a', wakes });
    expect(await renews(lock, 'one:1.a', fence)).toBe(false);
  });

  it('of a writer does not come back beside a reader', async () => {
    const writer = resources.writer('tour');
    const reader = await granted(resources.readers('tour'), 'one:1.a');
    await redis.flushall();
    const written = await granted(writer, 'two:2.a');
    await redis.flushall();
    expect(await renews(resources.readers('tour'), 'one:1.a', reader)).toBe(true);
    expect(await renews(writer, 'two:2.a', written)).toBe(false);
  });
});
