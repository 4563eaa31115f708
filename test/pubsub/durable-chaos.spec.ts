import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import {
  EventBus,
  getRedisConnectionToken,
  PubSubModule,
  type PubSubRootOptions,
  type RedisConnection,
  RedisModule,
  type RedisModuleOptions,
} from 'rednest';
import { startRedis, startSentinel } from 'rednest/testing';
import { startApplication } from '../support/redis-application.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { COUNTS, GROUP, orderOf, TOPIC } from './fixtures/ledger.js';
import { Ledgers, publishTurns } from './fixtures/ledger-run.js';

const PUBSUB: PubSubRootOptions = { namespace: 'app', lease: '1s', publishTimeout: '1s' };
const ACCOUNTS = Array.from({ length: 200 }, (_, index) => `account-${index}`);

const opened = new Opened();

async function startPublisher(
  redis: RedisModuleOptions,
): Promise<{ bus: EventBus; connection: RedisConnection }> {
  const { app } = await startApplication([RedisModule.forRoot(redis), PubSubModule.forRoot(PUBSUB)]);
  opened.add({ [Symbol.asyncDispose]: () => app.close() });
  return { bus: app.get(EventBus), connection: app.get(getRedisConnectionToken()) };
}

/** Of all partitions. */
async function pendingOf(admin: Redis): Promise<number> {
  const streams = Array.from({ length: 8 }, (_, partition) => `app:{${TOPIC}}:${partition}`);
  const replies = await Promise.all(streams.map((stream) => admin.xpending(stream, GROUP)));
  return replies.reduce((sum, [count]) => sum + Number(count), 0);
}

const dead = (admin: Redis) => admin.exists(`app:{${TOPIC}}:dead`);

describe('durable events, while a consumer is killed every second', () => {
  it('are each handled, and their effects done once and in order, over a restart of Redis', async () => {
    const turns = 500;
    const server = opened.add(await startRedis({ config: { appendonly: 'yes', appendfsync: 'always' } }));
    const ledgers = opened.add(new Ledgers(server.options, PUBSUB));
    await ledgers.start(3);
    const { bus } = await startPublisher(server.options);
    const published = Promise.all(ACCOUNTS.map((account) => publishTurns(bus, account, turns)));
    const restarted = sleep(3_000)
      .then(() => server.kill())
      .then(() => server.restart());
    const kills = await ledgers.killWhile(Promise.all([published, restarted]));
    expect(kills).toBeGreaterThan(2);

    const admin = await server.admin();
    await eventually(async () => (await admin.hlen(COUNTS)) === ACCOUNTS.length * turns, 60_000);
    expect(new Set(await admin.hvals(COUNTS))).toEqual(new Set(['1']));
    const expected = Array.from({ length: turns }, (_, turn) => String(turn));
    for (const account of ACCOUNTS) expect(await admin.lrange(orderOf(account), 0, -1)).toEqual(expected);
    await eventually(async () => (await pendingOf(admin)) === 0);
    expect(await dead(admin)).toBe(0);
    expect(await ledgers.leave()).toEqual([]);
  }, 180_000);

  it('are each handled over a failover by Sentinels, if they had reached the replica', async () => {
    const turns = 100;
    const group = opened.add(await startSentinel({ replicas: 1 }));
    const ledgers = opened.add(new Ledgers(group.options, PUBSUB));
    await ledgers.start(3);
    const { bus, connection } = await startPublisher(group.options);
    let isFirst = true;
    connection.client.on('close', () => (isFirst = false));
    // After the failover there is no replica to wait for, and each WAIT would block the connection.
    const confirm = async (): Promise<boolean> =>
      isFirst && (await (connection.client as Redis).wait(1, 500)) >= 1 && isFirst;
    const published = Promise.all(ACCOUNTS.map((account) => publishTurns(bus, account, turns, confirm)));
    const failed = sleep(1_500)
      .then(() => group.master())
      .then((master) => master.kill())
      .then(() => group.waitForFailover({ timeout: 60_000 }));
    await ledgers.killWhile(Promise.all([published, failed]));

    const confirmed = (await published).flatMap((each, index) =>
      each.flatMap((isConfirmed, turn) => (isConfirmed ? [`${ACCOUNTS[index]}:${turn}`] : [])),
    );
    expect(confirmed.length).toBeGreaterThan(1_000);
    const admin = await (await group.master()).admin();
    await eventually(async () => {
      const counts = await admin.hmget(COUNTS, ...confirmed);
      return counts.every((count) => count !== null) && (await pendingOf(admin)) === 0;
    }, 60_000);
    expect(new Set(await admin.hvals(COUNTS))).toEqual(new Set(['1']));
    for (const account of ACCOUNTS) {
      const order = (await admin.lrange(orderOf(account), 0, -1)).map(Number);
      expect(order).toEqual(order.toSorted((one, other) => one - other));
    }
    expect(await dead(admin)).toBe(0);
    expect(await ledgers.leave()).toEqual([]);
  }, 180_000);
});
