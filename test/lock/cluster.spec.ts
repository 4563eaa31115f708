import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hashSlot, LockLostError, type Lease, type LockService } from 'rednest';
import { startCluster, type RedisCluster, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { openLocks, orderOf, standInLine } from './fixtures/cluster-locks.js';
import { SentScripts, subscriberNodes } from './fixtures/cluster-view.js';

const opened = new Opened();

const rising = (fences: readonly number[]) => [...new Set(fences)].toSorted((one, other) => one - other);

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster({ masters: 3, replicas: 1 });
}, 30_000);
afterAll(() => cluster.stop());

let last = 0;

const keyOf = (resource: string) => `app:{${resource}}`;

/** Resources that nobody has locked yet, whose keys lie on that server. */
async function resourcesOn(server: RedisServer, count = 1, of = cluster): Promise<[string, ...string[]]> {
  const names: string[] = [];
  while (names.length < count) {
    const name = `resource${last++}`;
    if ((await of.nodeOfKey(keyOf(name))) === server) names.push(name);
  }
  return names as [string, ...string[]];
}

describe('those who wait, and listen at another node than the master of what they wait for', () => {
  it('are let in by a push, in the order in which they came', async () => {
    const [holder, waiter] = [
      await openLocks(opened, cluster.options),
      await openLocks(opened, cluster.options),
    ];
    const warm = await holder.locks.acquire('warm');
    const { lease } = await standInLine(waiter, (locks) => locks.lock('warm'));
    await warm.release();
    await (await lease).release();
    const pushes: string[] = [];
    waiter.connection.subscriber().on('message', (_channel: string, message: string) => pushes.push(message));
    const listensAt = await subscriberNodes(cluster, 'app:wake:');
    const masters = (await cluster.masters()).filter((master) => !listensAt.includes(master));
    expect(masters.length).toBeGreaterThanOrEqual(2);
    for (const master of masters) {
      const [resource] = await resourcesOn(master);
      const lock = (locks: LockService) => locks.lock(resource);
      const held = await lock(holder.locks).acquire();
      const line = [];
      for (let index = 0; index < 3; index++) line.push(await standInLine(waiter, lock));
      const order = orderOf(line);
      await held.release();
      expect(await order).toEqual([0, 1, 2]);
      expect(pushes.filter((message) => message.endsWith(keyOf(resource)))).toHaveLength(3);
    }
  });
});

describe('those who wait, and lose the connection on which they listen', () => {
  it('are let in all the same, in the order in which they came, and by a push when they listen again', async () => {
    const [resource] = await resourcesOn((await cluster.masters())[0]!);
    const lock = (locks: LockService) => locks.lock(resource);
    const holder = await openLocks(opened, cluster.options);
    const waiter = await openLocks(opened, cluster.options);
    const held = await lock(holder.locks).acquire();
    const line = [];
    for (let index = 0; index < 3; index++) line.push(await standInLine(waiter, lock));
    const [listensAt] = await subscriberNodes(cluster, 'app:wake:');
    await (await listensAt!.admin()).call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const order = orderOf(line);
    await held.release();
    expect(await order).toEqual([0, 1, 2]);
    await eventually(async () => (await subscriberNodes(cluster, 'app:wake:')).length > 0);
    const pushes: string[] = [];
    waiter.connection.subscriber().on('message', (_channel: string, message: string) => pushes.push(message));
    const again = await lock(holder.locks).acquire();
    const { lease } = await standInLine(waiter, lock);
    await again.release();
    await (await lease).release();
    expect(pushes).toHaveLength(1);
  });
});

describe('several resources of several masters', () => {
  it('are held together with one fence, or not at all', async () => {
    const names: string[] = [];
    for (const master of await cluster.masters()) names.push(...(await resourcesOn(master, 2)));
    const [one, other] = [await openLocks(opened, cluster.options), await openLocks(opened, cluster.options)];
    const single = await one.locks.acquire(names[3]!);
    expect(await other.locks.tryAcquire(names)).toBeUndefined();
    const all = await standInLine(other, (locks) => locks.lock(names));
    await single.release();
    const lease = await all.lease;
    expect(lease.fence).toBeGreaterThan(single.fence);
    for (const name of names) expect(await one.locks.tryAcquire(name)).toBeUndefined();
    await lease.release();
    for (const name of names) {
      const after = (await one.locks.tryAcquire(name))!;
      expect(after.fence).toBeGreaterThan(lease.fence);
      await after.release();
    }
  });
});

describe('leases of many slots', () => {
  it('are renewed by one script for each slot', async () => {
    const { locks } = await openLocks(opened, cluster.options, { ttl: 900 });
    const names = Array.from({ length: 20 }, (_, index) => `many${index}`);
    const acquired = names.flatMap((name) => [
      locks.acquire(name),
      locks.semaphore(name, 3).acquire(),
      locks.readWrite(name).read.acquire(),
    ]);
    const leases = await Promise.all(acquired);
    // The first renewal brings those together that were acquired one after another.
    await sleep(400);
    using scripts = new SentScripts();
    await sleep(1_200);
    const slots = new Map<number, number>();
    for (const { keys } of scripts.all) {
      expect(keys).toHaveLength(3);
      const [slot, ...others] = keys.map((key) => hashSlot(key));
      for (const each of others) expect(each).toBe(slot);
      slots.set(slot!, (slots.get(slot!) ?? 0) + 1);
    }
    expect(slots.size).toBe(new Set(names.map((name) => hashSlot(keyOf(name)))).size);
    // In 1,200 ms each third of 900 ms.
    for (const count of slots.values()) expect(count).toBeLessThanOrEqual(5);
    for (const lease of leases) expect(lease.lost).toBeUndefined();
    for (const lease of leases) expect(await lease.release()).toBe('released');
  });
});

describe('while a slot moves', () => {
  async function staysHeld(lease: Lease): Promise<void> {
    expect(await lease.extend()).toBeGreaterThan(0);
    // Time for a renewal that comes by itself.
    await sleep(800);
    expect(lease.lost).toBeUndefined();
    expect(lease.remaining).toBeGreaterThan(0);
  }

  it('what is held in it stays held, and is released when it has moved', async () => {
    const [from, to] = (await cluster.masters()) as [RedisServer, RedisServer];
    const [resource] = await resourcesOn(from);
    const { locks } = await openLocks(opened, cluster.options);
    const other = await openLocks(opened, cluster.options);
    const lease = await locks.acquire(resource, { ttl: '2s' });
    const migration = await cluster.beginSlotMigration({ slot: cluster.slotOfKey(keyOf(resource)), to });
    await staysHeld(lease);
    expect(await migration.moveKeys()).toBe(1);
    await staysHeld(lease);
    await migration.finish();
    await staysHeld(lease);
    expect(await other.locks.tryAcquire(resource)).toBeUndefined();
    expect(await lease.release()).toBe('released');
    const after = await other.locks.acquire(resource);
    expect(after.fence).toBeGreaterThan(lease.fence);
  });

  it.each(['before its keys', 'after its keys'])(
    'those who wait for what is released %s are let in, in the order in which they came',
    async (when) => {
      const [from, to] = (await cluster.masters()) as [RedisServer, RedisServer];
      const [resource] = await resourcesOn(from);
      const lock = (locks: LockService) => locks.lock(resource);
      const holder = await openLocks(opened, cluster.options);
      const waiter = await openLocks(opened, cluster.options);
      const held = await lock(holder.locks).acquire();
      const line = [
        await standInLine(waiter, lock),
        await standInLine(holder, lock),
        await standInLine(waiter, lock),
      ];
      const migration = await cluster.beginSlotMigration({ slot: cluster.slotOfKey(keyOf(resource)), to });
      if (when === 'after its keys') expect(await migration.moveKeys()).toBe(3);
      const leases: Lease[] = [];
      const order = orderOf(
        line.map(({ lease }) => ({ lease: lease.then((each) => (leases.push(each), each)) })),
      );
      await held.release();
      await line[0]!.lease;
      await migration.finish();
      expect(await order).toEqual([0, 1, 2]);
      const fences = [held, ...leases].map(({ fence }) => fence);
      expect(fences).toEqual(rising(fences));
      expect(await (await lock(waiter.locks).acquire()).release()).toBe('released');
    },
    20_000,
  );

  it('who comes waits until it has moved', async () => {
    const [from, to] = (await cluster.masters()) as [RedisServer, RedisServer];
    const [resource] = await resourcesOn(from);
    const { locks } = await openLocks(opened, cluster.options);
    const migration = await cluster.beginSlotMigration({ slot: cluster.slotOfKey(keyOf(resource)), to });
    const acquiring = locks.acquire(resource, { wait: '10s' });
    await sleep(1_200);
    await migration.finish();
    expect(await (await acquiring).release()).toBe('released');
  });
});

describe('when the master of a slot is lost', () => {
  let mortal: RedisCluster;
  let lost: RedisServer;
  const start = async () => {
    mortal = opened.add(await startCluster({ masters: 3, replicas: 1 }));
    [lost] = (await mortal.masters()) as [RedisServer];
  };

  it('a holder with enough time goes on at the replica, and those who wait follow in order', async () => {
    await start();
    const [resource, other] = await resourcesOn(lost, 2, mortal);
    const lock = (locks: LockService) => locks.lock(resource);
    const [holder, waiter] = [
      await openLocks(opened, mortal.options),
      await openLocks(opened, mortal.options),
    ];
    const held = await lock(holder.locks).acquire({ ttl: '15s' });
    const brief = await holder.locks.acquire(other!, { ttl: 300 });
    const line = [];
    for (const process of [waiter, holder, waiter, holder])
      line.push(await standInLine(process, lock, { ttl: '10s', wait: '40s' }));
    await (await lost.admin()).wait(1, 2_000);
    const lostAt = performance.now();
    await lost.kill();
    await eventually(() => expect(brief.signal.aborted).toBe(true), 2_000);
    expect(performance.now() - lostAt).toBeLessThan(1_500);
    expect(brief.signal.reason).toBeInstanceOf(LockLostError);
    await mortal.waitForFailover();
    await eventually(() => held.extend(), 10_000);
    expect(held.lost).toBeUndefined();
    const leases: Lease[] = [];
    const order = orderOf(
      line.map(({ lease }) => ({ lease: lease.then((each) => (leases.push(each), each)) })),
    );
    expect(await held.release()).toBe('released');
    expect(await order).toEqual([0, 1, 2, 3]);
    const fences = [held, ...leases].map(({ fence }) => fence);
    expect(fences).toEqual(rising(fences));
    const next = await waiter.locks.acquire(other!, { wait: '10s' });
    expect(next.fence).toBeGreaterThan(brief.fence);
  }, 40_000);
});
