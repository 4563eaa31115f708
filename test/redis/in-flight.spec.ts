import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import type { RedisClient } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startProxied } from './fixtures/proxied-connection.js';
import { tally } from './fixtures/rejection.js';

const opened = new Opened();

/** The results of a pipeline, one promise for each. */
async function each(replies: Promise<[Error | null, unknown][] | null>): Promise<unknown> {
  const failed = (await replies)?.find(([error]) => error);
  if (failed) throw failed[0];
  return replies;
}

const INCREMENTS: [string, number, (client: RedisClient) => Promise<unknown>[]][] = [
  ['a command', 1, (client) => [client.incr('app:n')]],
  ['commands of one turn', 5, (client) => Array.from({ length: 5 }, () => client.incr('app:n'))],
  ['a pipeline', 2, (client) => [each(client.pipeline().incr('app:n').incr('app:n').exec())]],
  ['a transaction', 2, (client) => [client.multi().incr('app:n').incr('app:n').exec()]],
  ['a script', 1, (client) => [client.eval("return redis.call('INCR', KEYS[1])", 1, 'app:n')]],
];

describe('a connection lost before the reply', () => {
  it.each(INCREMENTS)('rejects %s at once, and sends it no second time', async (_, count, increment) => {
    const { server, proxy, connection } = await startProxied(opened);
    const admin = await server.admin();
    proxy.swallow('down');
    const sent = increment(connection.client);
    const outcome = tally(sent);
    await eventually(async () => (await admin.get('app:n')) === String(count));
    const lost = performance.now();
    proxy.cut();
    const { rejected } = await outcome;
    expect(performance.now() - lost).toBeLessThan(500);
    expect(rejected).toEqual({ REDIS_CONNECTION_LOST: sent.length });
    await proxy.restore();
    await eventually(() => connection.client.ping());
    expect(await connection.client.incr('app:n')).toBe(count + 1);
  });

  it('is told to the copies of a client too, and a copy subscribes again', async () => {
    const { proxy, connection } = await startProxied(opened);
    const [worker, listener] = [
      (connection.client as Redis).duplicate(),
      (connection.client as Redis).duplicate(),
    ];
    for (const copy of [worker, listener]) copy.on('error', () => {});
    const heard: string[] = [];
    listener.on('message', (_channel, message) => heard.push(message));
    await listener.subscribe('app:news');
    const blocked = worker.blpop('app:never', 0).catch((error: unknown) => error);
    await eventually(() => worker.status === 'ready');
    await sleep(50);
    proxy.cut();
    expect(await blocked).toMatchObject({ code: 'REDIS_CONNECTION_LOST' });
    await eventually(async () => (await connection.client.publish('app:news', 'again')) === 1);
    await eventually(() => heard.includes('again'));
    await Promise.all([worker.quit(), listener.quit()]);
  });

  it.each(INCREMENTS)('sends %s once, that was asked for meanwhile', async (_, count, increment) => {
    const { proxy, connection } = await startProxied(opened);
    proxy.refuse();
    proxy.cut();
    await eventually(() => connection.state === 'reconnecting');
    const waiting = tally(increment(connection.client));
    await proxy.restore();
    expect((await waiting).rejected).toEqual({});
    expect(await connection.client.incr('app:n')).toBe(count + 1);
  });

  it('sends once what auto-pipelining had collected behind it', async () => {
    const { server, proxy, connection } = await startProxied(opened, {
      driver: { enableAutoPipelining: true },
    });
    const admin = await server.admin();
    proxy.swallow('down');
    const first = tally([connection.client.incr('app:first')]);
    await eventually(async () => (await admin.get('app:first')) === '1');
    const behind = tally([connection.client.incr('app:second'), connection.client.incr('app:second')]);
    proxy.cut();
    await proxy.restore();
    expect((await first).rejected).toEqual({ REDIS_CONNECTION_LOST: 1 });
    expect((await behind).rejected).toEqual({});
    expect(await admin.mget('app:first', 'app:second')).toEqual(['1', '2']);
  });

  it('under random cuts settles every command, and executes each once, or not at all if it was rejected', async () => {
    const { server, proxy, connection } = await startProxied(opened);
    const commands: Promise<unknown>[] = [];
    const end = performance.now() + 2_000;
    const cutting = (async () => {
      while (performance.now() < end) {
        await sleep(Math.random() * 150);
        proxy.delay(Math.random() * 3);
        proxy.cut();
      }
    })();
    while (performance.now() < end) {
      for (const increment of INCREMENTS.slice(0, 2)) commands.push(...increment[2](connection.client));
      await sleep(Math.random() * 10);
    }
    await cutting;
    const { resolved, rejected } = await tally(commands);
    const counter = Number(await (await server.admin()).get('app:n'));
    const { REDIS_CONNECTION_LOST: lost = 0, REDIS_UNAVAILABLE: unavailable = 0, ...others } = rejected;
    expect(others).toEqual({});
    expect(resolved + lost + unavailable).toBe(commands.length);
    expect(lost).toBeGreaterThan(0);
    expect(resolved).toBeGreaterThan(0);
    expect(counter).toBeGreaterThanOrEqual(resolved);
    expect(counter).toBeLessThanOrEqual(resolved + lost);
  });
});
