import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import {
  RedisConnectionLostError,
  RedisPoolExhaustedError,
  RedisPoolTimeoutError,
  RedisUnavailableError,
} from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { dedicatedClients, killDedicatedClients } from './fixtures/dedicated-clients.js';
import { hold, nextClient, startPool } from './fixtures/pool.js';
import { rejection } from './fixtures/rejection.js';

const opened = new Opened();

describe('takers', () => {
  it('share as many connections as the pool has, in the order in which they came', async () => {
    const { server, connection } = await startPool(opened, { size: 3 });
    const order: number[] = [];
    let most = 0;
    let holding = 0;
    const takers = Array.from({ length: 30 }, (_, number) =>
      connection.withDedicated(async (client) => {
        order.push(number);
        most = Math.max(most, ++holding);
        await client.incr('app:taken');
        expect((await dedicatedClients(server)).length).toBeLessThanOrEqual(3);
        holding--;
      }),
    );
    await Promise.all(takers);
    expect(order).toEqual(Array.from({ length: 30 }, (_, number) => number));
    expect(most).toBe(3);
    expect(await connection.client.get('app:taken')).toBe('30');
  });

  it('get a connection again that was given back clean', async () => {
    const { connection } = await startPool(opened, { size: 1 });
    expect(await nextClient(connection)).toBe(await nextClient(connection));
  });

  it('give the connection back when they throw, and see their own error', async () => {
    const { connection } = await startPool(opened, { size: 1 });
    const own = new Error('of the taker');
    await expect(connection.withDedicated(() => Promise.reject(own))).rejects.toBe(own);
    const thrown = connection.withDedicated(() => {
      throw own;
    });
    await expect(thrown).rejects.toBe(own);
    expect(await connection.withDedicated((client) => client.set('app:a', '1'))).toBe('OK');
  });

  it('see the loss of a connection that is killed while they hold it, and the next one gets another', async () => {
    const { server, connection } = await startPool(opened, { size: 1 });
    const blocked = connection.withDedicated((client) => client.blpop('app:never', 0));
    await eventually(async () => (await killDedicatedClients(server)) === 1);
    expect(await rejection(blocked)).toMatchObject({ error: expect.any(RedisConnectionLostError) });
    const idle = connection.withDedicated(async (client) => {
      await killDedicatedClients(server);
      await eventually(() => client.status === 'end');
      return client.set('app:a', '1');
    });
    expect((await rejection(idle)).redisError).toBeInstanceOf(RedisUnavailableError);
    expect(await connection.withDedicated((client) => client.get('app:a'))).toBeNull();
  });

  it('have their commands sent in order, also where auto-pipelining is asked for', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection({
      ...server.options,
      driver: { enableAutoPipelining: true },
    });
    const replies = await connection.withDedicated((client) => {
      void client.set('app:a', '1');
      return client.multi().get('app:a').exec();
    });
    expect(replies).toEqual([[null, '1']]);
  });

  it('never get an idle connection that was killed', async () => {
    const { server, connection } = await startPool(opened, { size: 4 });
    const all = () =>
      Promise.all(
        Array.from({ length: 4 }, () => connection.withDedicated((client) => client.incr('app:n'))),
      );
    await all();
    await eventually(() => connection.poolStats.free === 4);
    expect(await killDedicatedClients(server)).toBe(4);
    await eventually(async () => (await dedicatedClients(server)).length === 0);
    await sleep(20);
    expect((await all()).toSorted((a, b) => a - b)).toEqual([5, 6, 7, 8]);
  });
});

describe('a connection that comes back', () => {
  it.each<[string, (client: Redis) => Promise<unknown>]>([
    ['in a transaction', (client) => client.multi({ pipeline: false })],
    [
      'with commands queued in a transaction',
      async (client) => [await client.multi({ pipeline: false }), await client.set('app:a', '1')],
    ],
    ['subscribed', (client) => client.subscribe('app:news')],
    ['subscribed to a pattern', (client) => client.psubscribe('app:*')],
    ['with a subscription under way', async (client) => void client.subscribe('app:news')],
    ['in another database', (client) => client.select(3)],
    [
      'with a blocking command under way',
      async (client) => void client.blpop('app:list', 0).catch(() => undefined),
    ],
    ['disconnected by its taker', async (client) => client.disconnect()],
  ])('%s is not given out again', async (_, leave) => {
    const { server, connection } = await startPool(opened, { size: 1 });
    let first: Redis | undefined;
    await connection.withDedicated(async (client) => {
      first = client;
      await leave(client);
    });
    const next = await connection.withDedicated(async (client) => {
      await client.set('app:mine', '1');
      return client;
    });
    expect(next).not.toBe(first);
    await eventually(() => first?.status === 'end');
    const admin = await server.admin();
    expect(await admin.keys('*')).toEqual(['app:mine']);
    expect(await admin.lpush('app:list', 'still there')).toBe(1);
    expect(await admin.lrange('app:list', 0, -1)).toEqual(['still there']);
  });

  it('subscribed is not given out again with RESP2 either', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection({
      ...server.options,
      pool: { size: 1 },
      driver: { protocol: 2 },
    });
    const first = await connection.withDedicated(async (client) => {
      await client.subscribe('app:news');
      return client;
    });
    expect(await nextClient(connection)).not.toBe(first);
  });

  it('with watched keys is given out again, and watches nothing', async () => {
    const { connection } = await startPool(opened, { size: 1 });
    const first = await connection.withDedicated(async (client) => {
      await client.watch('app:a');
      return client;
    });
    await connection.client.set('app:a', 'changed');
    await connection.withDedicated(async (client) => {
      expect(client).toBe(first);
      expect(await client.multi().set('app:a', 'by the next').exec()).toEqual([[null, 'OK']]);
    });
  });
});

describe('limits', () => {
  it('a taker that waits too long gets RedisPoolTimeoutError, and the next is served', async () => {
    const { connection } = await startPool(opened, { size: 1, acquireTimeout: 150 });
    const holder = await hold(connection);
    const { error, after } = await rejection(nextClient(connection));
    expect(error).toBeInstanceOf(RedisPoolTimeoutError);
    expect(error).toMatchObject({ code: 'REDIS_POOL_TIMEOUT', retryable: true });
    expect(after).toBeGreaterThan(140);
    expect(connection.poolStats).toEqual({ used: 1, free: 0, waiting: 0 });
    await holder.release();
    expect(await nextClient(connection)).toBe(holder.client);
  });

  it('a taker too many gets RedisPoolExhaustedError at once, and those that wait are served', async () => {
    const { connection } = await startPool(opened, { size: 2, queueLimit: 3 });
    const holders = [await hold(connection), await hold(connection)];
    const waiting = Array.from({ length: 3 }, () => nextClient(connection));
    const { error } = await rejection(nextClient(connection));
    expect(error).toBeInstanceOf(RedisPoolExhaustedError);
    expect(error).toMatchObject({ code: 'REDIS_POOL_EXHAUSTED', retryable: true });
    expect(connection.poolStats).toEqual({ used: 2, free: 0, waiting: 3 });
    await Promise.all(holders.map(({ release }) => release()));
    expect(await Promise.all(waiting)).toHaveLength(3);
  });

  it('queueLimit 0 means that nobody waits for others, and takers one after the other need not', async () => {
    const { connection } = await startPool(opened, { size: 2, queueLimit: 0 });
    const three = await Promise.allSettled([
      nextClient(connection),
      nextClient(connection),
      nextClient(connection),
    ]);
    expect(three.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(three[2]).toMatchObject({ reason: expect.any(RedisPoolExhaustedError) });
    for (let i = 0; i < 20; i++) await Promise.all([nextClient(connection), nextClient(connection)]);
  });

  it.each([
    ['another user', (client: Redis) => client.auth('guest', 'guest-secret')],
    ['another database, in capitals', (client: Redis) => client.call('SELECT', '1')],
    ['another name', (client: Redis) => client.client('SETNAME', 'mine')],
  ])('a connection that comes back with %s is not given out again', async (_, change) => {
    const { server, connection } = await startPool(opened, { size: 1 });
    await (await server.admin()).acl('SETUSER', 'guest', 'on', '>guest-secret', '~*', '&*', '+@all');
    const before = await connection.withDedicated(async (client) => {
      await change(client);
      return client;
    });
    await connection.withDedicated(async (client) => {
      expect(client).not.toBe(before);
      expect(await client.set('app:a', '1')).toBe('OK');
    });
  });

  it('an idle connection is closed after idleTimeout', async () => {
    const { server, connection } = await startPool(opened, { size: 2, idleTimeout: 100 });
    await Promise.all([nextClient(connection), nextClient(connection)]);
    expect(await dedicatedClients(server)).toHaveLength(2);
    await eventually(async () => (await dedicatedClients(server)).length === 0);
    expect(connection.poolStats).toEqual({ used: 0, free: 0, waiting: 0 });
    expect(await connection.withDedicated((client) => client.incr('app:n'))).toBe(1);
  });

  it('poolStats tells what is used, free and waited for', async () => {
    const { connection } = await startPool(opened, { size: 2 });
    expect(connection.poolStats).toEqual({ used: 0, free: 0, waiting: 0 });
    const holders = [await hold(connection), await hold(connection)];
    const waiting = nextClient(connection);
    await eventually(() => expect(connection.poolStats).toEqual({ used: 2, free: 0, waiting: 1 }));
    await Promise.all(holders.map(({ release }) => release()));
    await waiting;
    await eventually(() => expect(connection.poolStats).toEqual({ used: 0, free: 2, waiting: 0 }));
  });
});
