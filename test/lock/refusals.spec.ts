import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LockUnavailableError, type RedisErrorCode } from 'rednest';
import { startCluster, startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { openLocks } from './fixtures/cluster-locks.js';

const opened = new Opened();

/** A server on which a refusal can be had, and ended. */
interface Refusing {
  readonly options: RedisServer['options'] | Awaited<ReturnType<typeof startCluster>>['options'];
  refuse(): Promise<unknown>;
  accept(): Promise<unknown>;
}

async function readOnly(): Promise<Refusing> {
  const server = opened.add(await startRedis());
  const admin = await server.admin();
  return {
    options: server.options,
    // Nobody is there.
    refuse: () => admin.replicaof('127.0.0.1', 1),
    accept: () => admin.replicaof('NO', 'ONE'),
  };
}

async function busy(): Promise<Refusing> {
  const server = opened.add(await startRedis({ config: { 'lua-time-limit': '20' } }));
  const slow = (await server.admin()).duplicate();
  opened.add({ [Symbol.asyncDispose]: async () => slow.disconnect() });
  return {
    options: server.options,
    refuse: async () => {
      slow.eval('while true do end', 0).catch(() => undefined);
      await sleep(200);
    },
    accept: async () => (await server.admin()).script('KILL'),
  };
}

async function loading(): Promise<Refusing> {
  const config = { 'enable-debug-command': 'yes', 'loading-process-events-interval-bytes': '1024' };
  const server = opened.add(await startRedis({ config }));
  const admin = await server.admin();
  let loaded: Promise<unknown>;
  return {
    options: server.options,
    refuse: async () => {
      // Each key takes a millisecond.
      await admin.call('DEBUG', 'POPULATE', '1500');
      await admin.config('SET', 'key-load-delay', '1000');
      loaded = admin.call('DEBUG', 'RELOAD');
      await sleep(300);
    },
    accept: () => loaded,
  };
}

async function slotDown(): Promise<Refusing> {
  const cluster = opened.add(await startCluster({ masters: 3, replicas: 1 }));
  const owners = await Promise.all(
    ['app:{held}', 'app:{free}'].map(async (key) => ({
      admin: await (await cluster.nodeOfKey(key)).admin(),
      slot: cluster.slotOfKey(key),
    })),
  );
  const each = (subcommand: 'DELSLOTS' | 'ADDSLOTS') =>
    Promise.all(owners.map(({ admin, slot }) => admin.call('CLUSTER', subcommand, slot)));
  return { options: cluster.options, refuse: () => each('DELSLOTS'), accept: () => each('ADDSLOTS') };
}

describe.each<[string, () => Promise<Refusing>, RedisErrorCode[]]>([
  ['is a replica (READONLY)', readOnly, ['REDIS_READ_ONLY']],
  ['is busy with the script of another (BUSY)', busy, ['REDIS_UNAVAILABLE']],
  ['loads its data (LOADING)', loading, ['REDIS_UNAVAILABLE']],
  ['has lost the slot (CLUSTERDOWN)', slotDown, ['REDIS_CLUSTER', 'REDIS_TIMEOUT']],
])('a server that %s', (_, start, codes) => {
  it('is asked again within the wait, keeps what is held until its deadline, and is told of a release when it is over', async () => {
    const server = await start();
    const { locks } = await openLocks(opened, server.options);
    const other = await openLocks(opened, server.options);
    const held = await locks.acquire('held', { ttl: '20s' });
    const released = await locks.semaphore('held', 1).acquire({ ttl: '30s' });
    await server.refuse();
    const failure = await other.locks.acquire('free', { wait: 0 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(LockUnavailableError);
    expect(codes).toContain((failure as LockUnavailableError).cause.code);
    const waiting = other.locks.acquire('free', { wait: '20s' });
    await expect(held.extend()).rejects.toBeInstanceOf(LockUnavailableError);
    expect(await released.release()).toBe('unconfirmed');
    expect(held.lost).toBeUndefined();
    await server.accept();
    expect(await (await waiting).release()).toBe('released');
    await eventually(
      () =>
        held.extend().then(
          () => true,
          () => false,
        ),
      10_000,
    );
    expect(await held.release()).toBe('released');
    // Long before the ttl is over.
    const next = await other.locks.semaphore('held', 1).acquire({ wait: '10s' });
    expect(next.fence).toBeGreaterThan(released.fence);
  }, 40_000);
});
