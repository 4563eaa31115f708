import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { FaultProxy, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { killClients, refusals } from '../support/server-view.js';
import { listen, type Listening, listeningUser } from './fixtures/coherence.js';

const opened = new Opened();

const KEY = 'app:cache:e:default:a';

const start = () => opened.server({ acl: [listeningUser()] });

/** Whether what another client writes now is told of. */
async function expectPushes(server: RedisServer, { events }: Listening): Promise<void> {
  const key = `app:cache:e:default:${Math.random()}`;
  await (await server.admin()).set(key, '1');
  await eventually(() => events.count(key) === 1);
}

describe('tracking', () => {
  it.each<[string, (redis: Redis) => Promise<unknown>]>([
    ['SET', (redis) => redis.set(KEY, '2')],
    ['DEL', (redis) => redis.del(KEY)],
    ['UNLINK', (redis) => redis.unlink(KEY)],
    ['EXPIRE', (redis) => redis.expire(KEY, 100)],
    ['a script', (redis) => redis.eval("return redis.call('APPEND', KEYS[1], 'x')", 1, KEY)],
    ['RENAME', (redis) => redis.rename(KEY, 'app:elsewhere')],
    ['a transaction', (redis) => redis.multi().set(KEY, '3').exec()],
    ['its expiry', (redis) => redis.pexpire(KEY, 1)],
    ['a write to another database', (redis) => redis.multi().select(1).set(KEY, '1').select(0).exec()],
  ])('tells of %s by anyone', async (_, write) => {
    const server = await start();
    const admin = await server.admin();
    await admin.set(KEY, '1');
    const { events } = await listen(opened, server.options);
    await write(admin);
    await eventually(() => events.count(KEY) > 0);
    expect(await refusals(server)).toEqual({});
  });

  it('tells of expiry and of eviction', async () => {
    const server = await opened.server({
      acl: [listeningUser()],
      config: { 'maxmemory-policy': 'allkeys-lru' },
    });
    const admin = await server.admin();
    const { events } = await listen(opened, server.options);
    await admin.set(KEY, '1', 'PX', 20);
    await eventually(() => events.count(KEY) === 2);
    await admin.set('app:cache:e:default:b', 'x'.repeat(10_000));
    await eventually(() => events.count('app:cache:e:default:b') === 1);
    await admin.config('SET', 'maxmemory', '1');
    await eventually(async () => (await admin.dbsize()) === 0);
    await eventually(() => events.count('app:cache:e:default:b') === 2);
  });

  it('tells of what this application writes, too, and of keys in any alphabet', async () => {
    const server = await start();
    const { events, connection } = await listen(opened, server.options);
    const keys = ['app:cache:e:default:Zürich', 'app:cache:t:東京,大阪', 'app:cache:g:😀'];
    await Promise.all(keys.map((key) => connection.client.set(key, '1')));
    await eventually(() => keys.every((key) => events.count(key) === 1));
  });

  it('does not tell of keys of others', async () => {
    const server = await start();
    const listening = await listen(opened, server.options);
    await (await server.admin()).mset('app:cached', '1', 'app:lock:a', '1', 'other:cache:e:a', '1');
    await expectPushes(server, listening);
    expect(listening.events.keys).toHaveLength(1);
  });

  it.each(['flushall', 'flushdb'] as const)('begins another epoch after %s', async (flush) => {
    const server = await start();
    const { coherence, events } = await listen(opened, server.options);
    const { epoch } = coherence.shardOf(0);
    await (await server.admin())[flush]();
    await eventually(() => events.reasons.includes('flushed'));
    expect(coherence.shardOf(0).epoch).not.toBe(epoch);
    expect(coherence.armed).toBe(true);
  });

  it('is armed when it has started, in an epoch of its own, and has learnt the time', async () => {
    const server = await start();
    const before = Date.now();
    const { coherence, events, log } = await listen(opened, server.options);
    const after = Date.now();
    expect(coherence).toMatchObject({ mode: 'tracking', armed: true });
    expect(coherence.shardOf(0)).toBe(coherence.shardOf(16_383));
    expect(coherence.shardOf(0)).toMatchObject({ node: '', armed: true });
    expect(events.reasons).toEqual(['listener armed']);
    const [time] = events.times;
    expect(time!.server).toBeGreaterThan(before - 5);
    expect(time!.server).toBeLessThan(after + 5);
    expect(time!.receivedAt).toBeGreaterThanOrEqual(time!.sentAt);
    expect(log.texts('CacheModule')).toEqual([]);
  });

  it('arms itself again after its connection was closed, each time in another epoch', async () => {
    const server = await start();
    const listening = await listen(opened, server.options);
    const { coherence, events, log } = listening;
    for (let round = 1; round <= 3; round++) {
      events.clear();
      expect(await killClients(server, ':listener')).toBe(1);
      await eventually(() => events.losses.length === 2);
      expect(events.reasons).toEqual(['listener lost', 'listener armed']);
      expect(coherence.armed).toBe(true);
      await expectPushes(server, listening);
    }
    expect(new Set(events.epochs).size).toBe(events.epochs.length);
    expect(log.texts('CacheModule').slice(0, 2)).toEqual([
      expect.stringMatching(/^The cache is not told of changes by Redis connection 'default'/),
      expect.stringMatching(/^The cache is told of changes again after \d+ ms$/),
    ]);
    expect(log.texts('CacheModule')).toHaveLength(6);
  });

  it('follows the shared client when that is connected anew', async () => {
    const server = await start();
    const listening = await listen(opened, server.options);
    const admin = await server.admin();
    const list = String(await admin.client('LIST')).split('\n');
    const shared = list.find((line) => /name=rednest:\S* /.test(line) && !line.includes(':listener '));
    await admin.client('KILL', 'ID', /id=(\d+)/.exec(shared!)![1]!);
    await eventually(() => listening.events.reasons.includes('listener lost'));
    await eventually(() => listening.coherence.armed);
    await expectPushes(server, listening);
  });

  it('is not armed while the server is away, says so once, and is when it is back', async () => {
    const server = await start();
    const listening = await listen(opened, server.options);
    const { coherence, log } = listening;
    await server.kill();
    await eventually(() => !coherence.armed);
    expect(coherence.shardOf(0).armed).toBe(false);
    await sleep(500);
    expect(log.texts('CacheModule')).toHaveLength(1);
    await server.restart();
    await eventually(() => coherence.armed);
    expect(log.texts('CacheModule')).toHaveLength(2);
    await expectPushes(server, listening);
  });

  it('notices a server that answers no more, and recovers', async () => {
    const server = await start();
    const listening = await listen(opened, server.options);
    const { coherence } = listening;
    await sleep(100);
    server.pause();
    await eventually(() => !coherence.armed, 2_500);
    server.resume();
    await eventually(() => coherence.armed);
    await expectPushes(server, listening);
  });

  it('notices a network that swallows what the server sends, and recovers', async () => {
    const server = await start();
    const proxy = opened.add(await FaultProxy.start(server));
    const listening = await listen(opened, proxy.optionsFor(server.options));
    const { coherence } = listening;
    proxy.swallow('down');
    await eventually(() => !coherence.armed, 2_500);
    await proxy.restore();
    proxy.cut();
    await eventually(() => coherence.armed);
    await expectPushes(server, listening);
  });

  it('stays armed while the process itself is busy, and while little but pushes arrives', async () => {
    const server = await start();
    const { coherence, events } = await listen(opened, server.options);
    const until = performance.now() + 2_600;
    while (performance.now() < until);
    await sleep(1_500);
    const admin = await server.admin();
    for (let round = 0; round < 20; round++) {
      await Promise.all(Array.from({ length: 500 }, (_, index) => admin.set(`${KEY}:${index}`, 'x')));
      await sleep(20);
    }
    await eventually(() => events.count(`${KEY}:499`) >= 1);
    expect(coherence.armed).toBe(true);
    expect(events.reasons).toEqual(['listener armed']);
  });

  it('leaves nothing behind when it is stopped, nor when the connection is closed', async () => {
    const server = await start();
    const first = await listen(opened, server.options);
    const second = await listen(opened, server.options);
    await first.coherence.stop();
    await second.connection.close();
    await eventually(async () => !String(await (await server.admin()).client('LIST')).includes(':listener'));
    for (const { coherence, log } of [first, second]) {
      expect(coherence.armed).toBe(false);
      expect(coherence.shardOf(0).armed).toBe(false);
      expect(log.texts('CacheModule')).toEqual([]);
      await coherence.stop();
    }
    await expect(second.coherence.start()).rejects.toThrow(/is closed/);
  });

  it('can be stopped while the server answers no more', async () => {
    const server = await start();
    const { coherence } = await listen(opened, server.options);
    server.pause();
    const from = performance.now();
    await coherence.stop();
    expect(performance.now() - from).toBeLessThan(1_500);
    server.resume();
  });
});
