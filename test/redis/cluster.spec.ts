import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import {
  defineScript,
  key,
  RedisUnavailableError,
  retry,
  toRedisError,
  type RedisClient,
  type RedisConnection,
} from 'rednest';
import { startCluster, type RedisCluster, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { userLine } from '../support/guide-acl.js';
import { startConnection, TEST_COMMANDS } from '../support/redis-application.js';

describe.each([
  ['plaintext', false],
  ['TLS', true],
])('Cluster, %s', (_, tls) => {
  let cluster: RedisCluster;
  let app: INestApplicationContext;
  let connection: RedisConnection;
  let redis: RedisClient;

  beforeAll(async () => {
    cluster = await startCluster({
      masters: 3,
      replicas: 1,
      tls,
      acl: [userLine(`${TEST_COMMANDS} +ssubscribe +sunsubscribe +spublish`)],
    });
    const started = await startConnection(cluster.options);
    ({ app, connection } = started);
    redis = connection.client;
  }, 30_000);
  afterAll(async () => {
    await app.close();
    await cluster.stop();
  });

  it('spreads keys over all masters', async () => {
    const names = Array.from({ length: 300 }, (__, index) => key`app:spread:${index}`);
    await Promise.all(names.map((name) => redis.set(name, name)));
    expect(await Promise.all(names.map((name) => redis.get(name)))).toEqual(names);
    const sizes = await Promise.all(
      (await cluster.masters()).map(async (master) => (await master.admin()).dbsize()),
    );
    expect(sizes).toHaveLength(3);
    for (const size of sizes) expect(size).toBeGreaterThan(50);
  });

  it('follows a slot that has moved, on shared and dedicated connections', async () => {
    const name = 'app:{moving}:a';
    await redis.set(name, '1');
    const to = await otherMaster(name);
    await cluster.migrateSlot({ slot: cluster.slotOfKey(name), to });
    expect(await redis.incr(name)).toBe(2);
    expect(await retry(() => connection.withDedicated({ key: name }, (client) => client.incr(name)))).toBe(3);
    expect(await (await to.admin()).get(name)).toBe('3');
  });

  it('runs optimistic transactions across a moved slot', async () => {
    const name = 'app:{transaction}:a';
    await redis.set(name, '1');
    await cluster.migrateSlot({ slot: cluster.slotOfKey(name), to: await otherMaster(name) });
    const increment = () =>
      connection.optimistic([name], async (client, multi) => {
        const value = Number(await client.get(name)) + 1;
        multi.set(name, value);
        return value;
      });
    const values = await Promise.all(Array.from({ length: 20 }, increment));
    expect(new Set(values).size).toBe(20);
    expect(await redis.get(name)).toBe('21');
  });

  it('runs scripts on the node of their keys', async () => {
    const increment = defineScript({
      lua: "return redis.call('INCR', KEYS[1])",
      keys: (name: string) => [name],
      reply: Number,
    });
    for (let index = 0; index < 20; index++)
      expect(await increment.run(redis, key`app:script:${index}`)).toBe(1);
  });

  it('says what is wrong with keys of different slots, and with a missing key', async () => {
    const error = await redis.mget('app:a', 'app:b').catch((reason: unknown) => toRedisError(reason));
    expect(error).toMatchObject({ code: 'REDIS_COMMAND', retryable: false });
    await expect(connection.withDedicated((client) => client.ping())).rejects.toThrow(/needs \{ key \}/);
  });

  it('receives from channels and shard channels', async () => {
    const subscriber = connection.subscriber();
    const received: string[] = [];
    subscriber.on('message', (channel: string, message: string) => received.push(`${channel} ${message}`));
    subscriber.on('smessage', (channel: string, message: string) => received.push(`${channel} ${message}`));
    await subscriber.subscribe('app:news');
    await subscriber.ssubscribe('app:shard');
    await eventually(async () => {
      await redis.publish('app:news', 'a');
      await redis.spublish('app:shard', 'b');
      return received.includes('app:news a') && received.includes('app:shard b');
    });
  });

  async function otherMaster(name: string): Promise<RedisServer> {
    const owner = await cluster.nodeOfKey(name);
    return (await cluster.masters()).find((master) => master !== owner)!;
  }
});

describe('Cluster', () => {
  let cluster: RedisCluster;
  let app: INestApplicationContext | undefined;

  afterEach(async () => {
    await app?.close();
    app = undefined;
    await cluster.stop();
  });

  it('goes on after a master was lost, and repeats nothing that was sent to it', async () => {
    cluster = await startCluster({ masters: 3, replicas: 1, acl: [userLine(TEST_COMMANDS)] });
    const started = await startConnection(cluster.options);
    app = started.app;
    const { client } = started.connection;
    await client.set('app:counter', '0');
    const lost = await cluster.nodeOfKey('app:counter');
    lost.pause();
    const pending = Array.from({ length: 10 }, () =>
      client.incr('app:counter').catch((error: unknown) => toRedisError(error)?.code),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    await lost.kill();
    expect(new Set(await Promise.all(pending))).toEqual(new Set(['REDIS_CONNECTION_LOST']));

    await eventually(() => client.set('app:counter', '5'), 20_000);
    expect(await client.incr('app:counter')).toBe(6);
    expect(
      await started.connection.withDedicated({ key: 'app:counter' }, (each) => each.get('app:counter')),
    ).toBe('6');
    await eventually(() => client.set('app:elsewhere', '1'));
  }, 45_000);

  it('rejects within the retry budget while no node answers, and recovers', async () => {
    cluster = await startCluster({ masters: 3, replicas: 0, acl: [userLine(TEST_COMMANDS)] });
    const started = await startConnection(cluster.options);
    app = started.app;
    const { client } = started.connection;
    await client.set('app:a', '1');
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    const before = performance.now();
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () =>
        client.set('app:a', '2').catch((error: unknown) => toRedisError(error)),
      ),
    );
    expect(performance.now() - before).toBeLessThan(10_000);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ retryable: true });
    await eventually(async () => {
      const outcome = await client.get('app:a').catch((error: unknown) => toRedisError(error));
      return outcome instanceof RedisUnavailableError;
    });
    await Promise.all(cluster.nodes.map((node) => node.restart()));
    await eventually(() => client.set('app:a', '3'), 20_000);
  }, 45_000);

  it('fails the start with the cause when no node is there', async () => {
    cluster = await startCluster({ masters: 3, replicas: 0, acl: [userLine(TEST_COMMANDS)] });
    const wrong = { cluster: { nodes: ['127.0.0.1:1'] }, startupTimeout: 1_000 };
    await expect(startConnection(wrong)).rejects.toThrow(
      /Redis connection 'default' is not ready: .*ECONNREFUSED/,
    );
  });
});
