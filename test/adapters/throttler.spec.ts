import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { RedisWrongTypeError } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { AdapterConfigurationError, RedisThrottlerStorage } from 'rednest/throttler';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { refusals } from '../support/server-view.js';
import { callsOf, MINUTE, startStorage, told, THROTTLER_USER, type Answer } from './fixtures/throttler.js';

const opened = new Opened();

let server: RedisServer;
let names = 0;

beforeAll(async () => {
  server = await startRedis({ acl: [THROTTLER_USER] });
});

afterAll(async () => {
  expect(await refusals(server)).toEqual({});
  await server.stop();
});

/** Waits for Redis for longer: here it is not away, only the machine busy. */
const start = (options = {}) => startStorage(opened, server.options, { budget: '5s', ...options });

/** Hits of one client, one after the other; each test has its own. */
async function startClient() {
  const { storage, ...rest } = await start();
  const client = `client-${++names}`;
  const hit = (limit: number, ttl = MINUTE, blockDuration = 0): Promise<Answer> =>
    storage.increment(client, ttl, limit, blockDuration, 'default');
  return { hit, storage, client, ...rest };
}

it('lets as many pass as the limit says, and refuses until the oldest ceases to count', async () => {
  const { hit } = await startClient();
  const passes = { isBlocked: false, timeToExpire: 60, timeToBlockExpire: 0 };
  expect(await hit(2)).toEqual({ totalHits: 1, ...passes });
  expect(await hit(2)).toEqual({ totalHits: 2, ...passes });
  const refusal = { totalHits: 3, isBlocked: true, timeToExpire: 60, timeToBlockExpire: 60 };
  expect([await hit(2), await hit(2)]).toEqual([refusal, refusal]);
});

it('counts anew after a block, be it shorter or longer than the ttl', async () => {
  const { storage } = await start();
  for (const [ttl, blockDuration] of [
    [MINUTE, 150],
    [50, 300],
  ] as const) {
    const client = `client-${++names}`;
    const hit = () => storage.increment(client, ttl, 1, blockDuration, 'default');
    expect(await hit()).toMatchObject({ totalHits: 1, isBlocked: false });
    const since = performance.now();
    expect(await hit()).toMatchObject({ totalHits: 2, isBlocked: true, timeToBlockExpire: 1 });
    let answer = await hit();
    for (; answer.isBlocked; answer = await hit()) await sleep(5);
    expect(performance.now() - since).toBeGreaterThanOrEqual(blockDuration - 2);
    expect(answer).toMatchObject({ totalHits: 1, timeToBlockExpire: 0 });
  }
});

it('lets nothing pass with a limit of 0, all with one of Infinity, and counts nothing with a ttl of 0', async () => {
  const { storage, hit } = await startClient();
  const admin = await server.admin();
  const before = await admin.dbsize();
  for (let call = 0; call < 2; call++) {
    expect(await hit(0)).toEqual({ totalHits: 1, isBlocked: true, timeToExpire: 60, timeToBlockExpire: 60 });
    expect(await hit(0, MINUTE, 5_000)).toMatchObject({ isBlocked: true, timeToBlockExpire: 5 });
    expect(await hit(Infinity)).toMatchObject({ isBlocked: false });
    expect(await hit(1, 0)).toMatchObject({ isBlocked: false, timeToExpire: 0 });
  }
  expect(await admin.dbsize()).toBe(before);
  // Longer than Redis can count.
  expect(await storage.increment('for ever', Infinity, 1, 0, 'default')).toMatchObject({ isBlocked: false });
  expect(await storage.increment('for ever', Infinity, 1, 0, 'default')).toMatchObject({ isBlocked: true });
});

it.each([
  ['ttl', NaN, 1, 0],
  ['limit', MINUTE, NaN, 0],
  ['blockDuration', MINUTE, 1, undefined as unknown as number],
] as const)('writes nothing for a %s that is no number', async (name, ttl, limit, blockDuration) => {
  const { storage } = await start();
  const admin = await server.admin();
  const before = await admin.dbsize();
  const hit = storage.increment(`client-${++names}`, ttl, limit, blockDuration, 'default');
  await expect(hit).rejects.toThrow(TypeError);
  await expect(hit).rejects.toThrow(new RegExp(`${name} (?:NaN|undefined)`));
  expect(await admin.dbsize()).toBe(before);
});

it('counts each throttler and each client by itself, whatever characters their names have', async () => {
  const { storage } = await start();
  const pairs = [
    ['a', 'b:c'],
    ['a:b', 'c'],
    ['a', 'b'],
    ['', ''],
    ['{a}', '*\n'],
  ] as const;
  for (const [name, client] of pairs)
    expect(await storage.increment(client, MINUTE, 1, 0, name)).toMatchObject({ totalHits: 1 });
});

it('lets a hit of a long ttl count for as long, whatever others have asked for', async () => {
  const { hit } = await startClient();
  await hit(9, MINUTE);
  expect(await hit(9, 20)).toMatchObject({ totalHits: 2 });
  await sleep(60);
  expect((await hit(9, 20)).totalHits).toBeGreaterThanOrEqual(2);
});

it('is one EVALSHA for each hit, keeps no more than the limit, and nothing for good', async () => {
  const { hit, client } = await startClient();
  await hit(100, 300);
  const admin = await server.admin();
  await admin.config('RESETSTAT');
  await Promise.all(Array.from({ length: 300 }, () => hit(100, 300)));
  expect(await callsOf(server, 'evalsha')).toBe(300);
  expect(await callsOf(server, 'eval', 'script\\|load')).toBe(0);
  // A refusal writes nothing.
  expect(await callsOf(server, 'rpush')).toBeLessThanOrEqual(200);
  const key = `throttle:default:${client}`;
  expect(await admin.llen(key)).toBeLessThanOrEqual(100);
  // All of them go at once, in pages.
  let answer = await hit(100, 300);
  for (; answer.isBlocked; answer = await hit(100, 300)) await sleep(10);
  expect(answer.totalHits).toBeLessThanOrEqual(100);
  await eventually(async () => (await admin.exists(key)) === 0);
});

it('drops what has ceased to count in pages, and keeps the rest', async () => {
  const { hit, client } = await startClient();
  const admin = await server.admin();
  const [seconds] = await admin.time();
  const moments = (count: number, from: number) => Array.from({ length: count }, (_, index) => from + index);
  const now = Number(seconds) * 1_000;
  await admin.rpush(`throttle:default:${client}`, ...moments(250, now - 1_000), ...moments(7, now + 30_000));
  expect(await hit(300)).toMatchObject({ totalHits: 8 });
  expect(await admin.llen(`throttle:default:${client}`)).toBe(8);
});

it('tells of a key that holds something else, and takes Redis for present', async () => {
  const { hit, client, log } = await startClient();
  const admin = await server.admin();
  await admin.set(`throttle:default:${client}`, 'of another application');
  await expect(hit(1)).rejects.toThrow(RedisWrongTypeError);
  await admin.del(`throttle:default:${client}`);
  await admin.rpush(`throttle:default:${client}`, 'of another application');
  await expect(hit(1)).rejects.toThrow(RedisWrongTypeError);
  await admin.del(`throttle:default:${client}`);
  expect(await hit(1)).toMatchObject({ totalHits: 1 });
  expect(told({ log })).toEqual([]);
});

it('names each option that is wrong', async () => {
  const { connection } = await start();
  const wrong = { namespace: 'a b', whenUnavailable: 'ignore', budget: 0, storage: 1 };
  const make = () => new RedisThrottlerStorage(connection, wrong as never);
  expect(make).toThrow(AdapterConfigurationError);
  for (const option of Object.keys(wrong)) expect(make).toThrow(option);
  expect(make).toThrow("'ignore' is not 'allow' or 'refuse'");
  expect(() => new RedisThrottlerStorage(connection.client as never)).toThrow(
    /connection: .* is not a RedisConnection/,
  );
});
