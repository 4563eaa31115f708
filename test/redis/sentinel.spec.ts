import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { RedisReadOnlyError, toRedisError, type RedisConnection, type RedisOptions } from 'rednest';
import { startSentinel, type RedisServer, type SentinelGroup } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { userLine } from '../support/guide-acl.js';
import type { LogRecorder } from '../support/log-recorder.js';
import { startConnection, TEST_COMMANDS } from '../support/redis-application.js';

let group: SentinelGroup;
let app: INestApplicationContext | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
  await group.stop();
});

async function connect(
  options: Partial<RedisOptions> = {},
): Promise<{ connection: RedisConnection; log: LogRecorder }> {
  const started = await startConnection({ ...group.options, ...options } as RedisOptions);
  app = started.app;
  return started;
}

/** Sentinels learn of the new master one after the other. */
async function masterAfter(before: RedisServer): Promise<RedisServer> {
  return eventually(async () => {
    const master = await group.master();
    return master !== before && master;
  });
}

describe.each([
  ['plaintext', false],
  ['TLS', true],
])('Sentinel, %s', (_, tls) => {
  beforeEach(async () => {
    group = await startSentinel({ tls, acl: [userLine(TEST_COMMANDS)] });
  });

  it('follows the master after it was killed, with no restart', async () => {
    const { connection, log } = await connect();
    expect(connection.topology).toBe('sentinel');
    await connection.client.set('app:a', 'before');
    await eventually(async () => (await connection.client.wait(1, 100)) >= 1);

    const before = await group.master();
    await before.kill();
    await eventually(() => connection.client.set('app:a', 'after'), 15_000);

    const after = await masterAfter(before);
    expect(await (await after.admin()).get('app:a')).toBe('after');
    expect(await connection.withDedicated((client) => client.get('app:a'))).toBe('after');
    // A line for each change, however many attempts: a second loss is the news of the failover coming late.
    await eventually(() => {
      const [lost = [], back = []] = ['is lost', 'is back'].map((change) =>
        log.texts().filter((text) => text.includes(change)),
      );
      expect([1, 2]).toContain(lost.length);
      expect(back).toHaveLength(lost.length);
    });
  }, 40_000);

  it('leaves a master that hangs, when the Sentinels have chosen another', async () => {
    const { connection } = await connect();
    await connection.client.set('app:a', 'before');
    const before = await group.master();
    before.pause();
    const pending = connection.client.set('app:a', 'hanging').catch((error: unknown) => error);
    await group.waitForFailover();
    await eventually(() => connection.client.set('app:a', 'after'), 15_000);
    // What was sent to the old master is rejected, not left to hang and not sent again.
    expect(await pending).toMatchObject({ code: 'REDIS_CONNECTION_LOST' });
    before.resume();
  }, 40_000);
});

describe('Sentinel', () => {
  beforeEach(async () => {
    group = await startSentinel({ acl: [userLine(TEST_COMMANDS)] });
  });

  it('fails commands within the retry budget while no Sentinel answers, and recovers', async () => {
    const { connection } = await connect();
    await Promise.all(group.sentinels.map((sentinel) => sentinel.kill()));
    await Promise.all(group.servers.map((server) => server.kill()));
    await eventually(() => connection.state === 'reconnecting');
    await expect(connection.client.get('app:a')).rejects.toThrow();
    await Promise.all(group.servers.map((server) => server.restart()));
    await Promise.all(group.sentinels.map((sentinel) => sentinel.restart()));
    await eventually(() => connection.client.set('app:a', 'back'), 15_000);
  }, 40_000);

  it('fails the start with the cause when the master group is not known', async () => {
    const { sentinel } = group.options;
    const starting = connect({
      sentinel: { ...sentinel, masterName: 'nobody' },
      startupTimeout: 1_000,
    });
    await expect(starting).rejects.toThrow(/Redis connection 'default' is not ready: .*[Ss]entinel/);
  });

  it('moves on from a master that has become a replica', async () => {
    const { connection } = await connect();
    const before = await group.master();
    await connection.client.set('app:a', 'before');
    await eventually(async () => (await connection.client.wait(2, 100)) >= 2);
    await group.failover();
    const outcomes = new Set<string>();
    await eventually(async () => {
      const outcome = await connection.client
        .set('app:a', 'after')
        .catch((error: unknown) => toRedisError(error));
      outcomes.add(typeof outcome === 'string' ? outcome : String(outcome?.code));
      return outcome === 'OK';
    }, 15_000);
    const after = await masterAfter(before);
    expect(await (await after.admin()).get('app:a')).toBe('after');
    outcomes.delete('OK');
    const expected = ['REDIS_CONNECTION_LOST', 'REDIS_UNAVAILABLE', new RedisReadOnlyError('').code];
    expect([...outcomes].filter((code) => !expected.includes(code))).toEqual([]);
  }, 40_000);
});
