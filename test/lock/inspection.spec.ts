import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  LockConfigurationError,
  LockUnavailableError,
  type LockRootOptions,
  type LockService,
  type RedisModuleOptions,
} from 'rednest';
import { startCluster, startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { openLocks } from './fixtures/cluster-locks.js';

const opened = new Opened();

async function startServer(): Promise<RedisServer> {
  return opened.add(await startRedis());
}

interface Server {
  readonly options: RedisModuleOptions;
}

/** Locks of a replica by this name. */
async function replica(
  { options }: Server,
  holder: string,
  more: LockRootOptions = {},
): Promise<LockService> {
  return (await openLocks(opened, options, { namespace: 'lock', holder, ttl: '5s', ...more })).locks;
}

function waits(locks: LockService, count: number): Promise<boolean> {
  return eventually(() => locks.stats().waiting === count);
}

describe('inspect', () => {
  it('shows nobody where nobody holds or waits, and leaves nothing behind', async () => {
    const server = await startServer();
    const locks = await replica(server, 'one');
    expect(await locks.inspect('a')).toEqual({
      resource: 'a',
      kind: 'lock',
      fence: undefined,
      permits: undefined,
      holders: [],
      waiters: [],
    });
    expect(await (await server.admin()).dbsize()).toBe(0);
  });

  it('shows the holder, the fence, and who waits in which order', async () => {
    const server = await startServer();
    const [one, two, three] = [
      await replica(server, 'one'),
      await replica(server, 'two'),
      await replica(server, 'three'),
    ];
    const lease = await one.acquire('a');
    const second = two.acquire('a');
    await waits(two, 1);
    const third = three.acquire('a');
    await waits(three, 1);
    await sleep(50);

    const { fence, holders, waiters } = await one.inspect('a');
    expect(fence).toBe(lease.fence);
    expect(holders).toEqual([
      expect.objectContaining({ holder: 'one', fence: lease.fence, mode: undefined }),
    ]);
    expect(holders[0]!.remaining).toBeGreaterThan(0);
    expect(holders[0]!.remaining).toBeLessThanOrEqual(5_000);
    expect(holders[0]!.heldFor).toBeGreaterThanOrEqual(waiters[0]!.waitingFor);
    expect(waiters.map(({ waiter, position }) => [waiter, position])).toEqual([
      ['two', 1],
      ['three', 2],
    ]);
    expect(waiters[0]!.waitingFor).toBeGreaterThanOrEqual(waiters[1]!.waitingFor);
    expect(waiters[1]!.waitingFor).toBeGreaterThanOrEqual(49);

    await lease.release();
    const next = await second;
    const after = await three.inspect('a');
    expect(after.holders.map(({ holder, fence: its }) => [holder, its])).toEqual([['two', next.fence]]);
    expect(after.waiters.map(({ waiter, position }) => [waiter, position])).toEqual([['three', 1]]);
    await next.release();
    await (await third).release();
    expect(await one.inspect('a')).toMatchObject({ holders: [], waiters: [], fence: (await third).fence });
  });

  it('counts heldFor from the grant, whatever was renewed since', async () => {
    const locks = await replica(await startServer(), 'one');
    const lease = await locks.acquire('a', { ttl: '300ms' });
    await sleep(600);
    const [holder] = (await locks.inspect('a')).holders;
    expect(holder!.heldFor).toBeGreaterThanOrEqual(600);
    expect(holder!.remaining).toBeLessThanOrEqual(300);
    await lease.release();
  });

  it('does not show a holder whose time is over, nor a waiter that has died', async () => {
    const server = await startServer();
    const locks = await replica(server, 'one');
    const lease = await locks.acquire('a', { ttl: '100ms', renew: false });
    await eventually(() => lease.lost !== undefined);
    expect(await locks.inspect('a')).toMatchObject({ holders: [], fence: lease.fence });

    const admin = await server.admin();
    const now = Date.now() * 1_000;
    const gone = { over: 'gone:01.1', lost: 'gone:01.2', alive: 'there:02.1' };
    await admin.zadd('lock:{a}:queue', now - 3, gone.over, now - 2, gone.lost, now - 1, gone.alive);
    const times = { [gone.over]: `${now - 1} 1 1 100`, [gone.alive]: `${now + 60_000_000} 1 1 100` };
    await admin.hset('lock:{a}:waiters', times);
    const { waiters } = await locks.inspect('a');
    expect(waiters.map(({ waiter, position }) => [waiter, position])).toEqual([['there', 1]]);
  });

  it('shows the permits of a semaphore, the smaller of two, and who holds one', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    const leases = [await one.semaphore('s', 3).acquire(), await two.semaphore('s', 2).acquire()];
    const inspection = await one.inspect(one.semaphore('s', 3));
    expect(inspection).toMatchObject({ resource: 's', kind: 'semaphore', permits: 2 });
    expect(inspection.holders.map(({ holder, fence }) => [holder, fence])).toEqual([
      ['one', leases[0]!.fence],
      ['two', leases[1]!.fence],
    ]);
    expect((await one.inspect('s')).holders).toEqual([]);
    for (const lease of leases) await lease.release();
    expect(await one.inspect(one.semaphore('s', 1))).toMatchObject({ permits: 1, holders: [] });
  });

  it('shows the sides of a read/write lock, through either', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    const { read, write } = one.readWrite('r');
    const readers = [await read.acquire(), await two.readWrite('r').read.acquire()];
    const writing = two.readWrite('r').write.acquire();
    await waits(two, 1);
    for (const side of [read, write]) {
      const { kind, permits, holders, waiters } = await one.inspect(side);
      expect([kind, permits]).toEqual(['readWrite', undefined]);
      expect(holders.map(({ holder, mode }) => [holder, mode])).toEqual([
        ['one', 'read'],
        ['two', 'read'],
      ]);
      expect(waiters.map(({ waiter, mode }) => [waiter, mode])).toEqual([['two', 'write']]);
    }
    for (const lease of readers) await lease.release();
    const writer = await writing;
    expect((await one.inspect(read)).holders).toEqual([expect.objectContaining({ mode: 'write' })]);
    await writer.release();
  });

  it('refuses several resources, names that are none, and locks of another', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    await expect(one.inspect(one.lock(['a', 'b']))).rejects.toThrow(
      /lock.*is of several resources \('a', 'b'\); one by one is accepted/,
    );
    await expect(one.inspect('')).rejects.toThrow(LockConfigurationError);
    await expect(one.inspect(two.lock('a'))).rejects.toThrow(/was made by another LockService/);
    await expect(one.inspect(one.lock(['a', 'a']))).resolves.toMatchObject({ resource: 'a' });
  });

  it('says so where Redis cannot be asked', async () => {
    const server = await startServer();
    const locks = await replica(server, 'one', { timeout: '200ms' });
    server.pause();
    await expect(locks.inspect('a')).rejects.toThrow(LockUnavailableError);
    server.resume();
  });

  it('works on a Cluster', async () => {
    const cluster = opened.add(await startCluster({ masters: 3, replicas: 0 }));
    const locks = await replica(cluster, 'one');
    const lease = await locks.acquire(['a', 'b', 'c']);
    for (const name of ['a', 'b', 'c']) {
      expect((await locks.inspect(name)).holders).toEqual([expect.objectContaining({ holder: 'one' })]);
    }
    await lease.release();
  });
});

describe('held', () => {
  it('lists what this process holds, without asking Redis', async () => {
    const server = await startServer();
    const locks = await replica(server, 'one');
    expect(locks.held()).toEqual([]);
    const lease = await locks.acquire('a');
    const reader = await locks.readWrite('r').read.acquire();
    const permit = await locks.semaphore('s', 2).acquire();
    server.pause();
    expect(locks.held()).toEqual([
      expect.objectContaining({ resource: 'a', kind: 'lock', mode: undefined, fence: lease.fence }),
      expect.objectContaining({ resource: 'r', kind: 'readWrite', mode: 'read', fence: reader.fence }),
      expect.objectContaining({ resource: 's', kind: 'semaphore', mode: undefined, fence: permit.fence }),
    ]);
    for (const { remaining, heldFor } of locks.held()) {
      expect(remaining).toBeGreaterThan(0);
      expect(heldFor).toBeGreaterThanOrEqual(0);
    }
    server.resume();
    for (const each of [lease, reader, permit]) await each.release();
    expect(locks.held()).toEqual([]);
  });

  it('leaves out what is lost', async () => {
    const locks = await replica(await startServer(), 'one');
    await locks.acquire('a', { ttl: '60ms', renew: false });
    await sleep(80);
    expect(locks.held()).toEqual([]);
  });
});
