import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LockLostError, type Lease, type LockService } from 'rednest';
import { startSentinel, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { openLocks, standInLine, type InLine, type LockProcess } from './fixtures/cluster-locks.js';
import { Beliefs, cutOff } from './fixtures/failover-record.js';

const opened = new Opened();

const TTL = 3_000;

/** Who waits for a lease of so many milliseconds keeps its place for as long as a failover takes, also on a busy machine. */
const LONG_TTL = 10_000;

type Group = Awaited<ReturnType<typeof startSentinel>>;

interface Scene {
  readonly group: Group;
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly first: LockProcess;
  readonly second: LockProcess;
}

async function open(): Promise<Scene> {
  const group = opened.add(await startSentinel({ replicas: 1 }));
  const [master, replica] = group.servers as [RedisServer, RedisServer];
  const [first, second] = [await openLocks(opened, group.options), await openLocks(opened, group.options)];
  return { group, master, replica, first, second };
}

const lock = (locks: LockService) => locks.lock('tour');

/** Everybody has a turn. Resolves to the order. */
function turns(line: readonly InLine[], beliefs: Beliefs): Promise<number[]> {
  const order: number[] = [];
  const turn = async ({ lease }: InLine, index: number): Promise<void> => {
    const held = beliefs.add(await lease);
    order.push(index);
    await sleep(20);
    await beliefs.release(held);
  };
  return Promise.all(line.map(turn)).then(() => order);
}

async function lineUp(processes: readonly LockProcess[], ttl = TTL): Promise<InLine[]> {
  const line = [];
  for (const process of processes) line.push(await standInLine(process, lock, { ttl }));
  return line;
}

/** Until both processes listen at the new master: who cannot be told at a moment is passed over at that moment, and keeps its place. */
async function untilBothListen(group: Group): Promise<void> {
  const admin = await (await group.master()).admin();
  await eventually(async () => {
    const channels = (await admin.pubsub('CHANNELS', 'app:wake:*')) as string[];
    return channels.length === 2;
  }, 15_000);
}

/** Until the lease is renewed, or told that it is lost. */
async function settled(lease: Lease): Promise<'held' | 'lost'> {
  await eventually(async () => {
    if (lease.lost) return true;
    return lease.extend().then(
      () => true,
      () => false,
    );
  }, 15_000);
  return lease.lost ? 'lost' : 'held';
}

describe('a failover by Sentinels', () => {
  it('leaves a lease with its holder, and those who wait in their order', async () => {
    const { group, master, first, second } = await open();
    const beliefs = new Beliefs();
    const held = beliefs.add(await lock(first.locks).acquire({ ttl: '20s' }));
    const brief = await second.locks.acquire('brief', { ttl: 400 });
    const line = await lineUp([second, first, second, first], LONG_TTL);
    await (await master.admin()).wait(1, 2_000);
    await master.kill();
    // Nobody can be asked, and it ends all the same.
    await eventually(() => expect(brief.signal.aborted).toBe(true), 3_000);
    expect(brief.signal.reason).toBeInstanceOf(LockLostError);
    await group.waitForFailover();
    expect(await settled(held)).toBe('held');
    await untilBothListen(group);
    const order = turns(line, beliefs);
    await beliefs.release(held);
    expect(await order).toEqual([0, 1, 2, 3]);
    beliefs.expectRisingFences();
    beliefs.expectOverlapsOf(0);
    const next = await first.locks.acquire('brief');
    expect(next.fence).toBeGreaterThan(brief.fence);
  }, 40_000);

  it('from a master that is well does the same, and who comes meanwhile is let in', async () => {
    const { group, first, second } = await open();
    const beliefs = new Beliefs();
    const held = beliefs.add(await lock(first.locks).acquire({ ttl: '20s' }));
    const line = await lineUp([second, first, second], LONG_TTL);
    const failover = group.failover();
    const fences: number[] = [];
    const over = new AbortController();
    const coming = (async () => {
      while (!over.signal.aborted)
        await second.locks.using('other', { ttl: '1s', wait: '15s' }, ({ fence }) => void fences.push(fence));
    })();
    await failover;
    expect(await settled(held)).toBe('held');
    over.abort();
    await coming;
    await untilBothListen(group);
    const order = turns(line, beliefs);
    await beliefs.release(held);
    expect(await order).toEqual([0, 1, 2]);
    beliefs.expectRisingFences();
    beliefs.expectOverlapsOf(0);
    expect(fences).toEqual([...new Set(fences)].toSorted((one, other) => one - other));
  }, 40_000);
});

describe('a failover to a replica that lags behind', () => {
  it('and knows nothing of a lease reinstates it or has it lost, and no fence goes back', async () => {
    const { group, master, replica, first, second } = await open();
    const beliefs = new Beliefs();
    for (let round = 0; round < 3; round++)
      await beliefs.release(beliefs.add(await lock(first.locks).acquire()));
    await (await master.admin()).wait(1, 2_000);
    await cutOff(master, replica);
    for (let round = 0; round < 3; round++)
      await beliefs.release(beliefs.add(await lock(second.locks).acquire()));
    const held = beliefs.add(await lock(first.locks).acquire({ ttl: TTL }));
    const line = await lineUp([second, second, second]);
    await master.kill();
    replica.resume();
    const order = turns(line, beliefs);
    await group.waitForFailover();
    if ((await settled(held)) === 'held') {
      const admin = await (await group.master()).admin();
      await eventually(async () => (await admin.zcard('app:{tour}:queue')) === line.length, 15_000);
      await beliefs.release(held);
      expect(await order).toEqual([0, 1, 2]);
    } else {
      // Whoever could ask first, of those of whom the new master knew nothing.
      expect((await order).toSorted((one, other) => one - other)).toEqual([0, 1, 2]);
    }
    beliefs.expectRisingFences();
    beliefs.expectOverlapsOf(TTL);
  }, 40_000);

  it('and takes one for the holder who has released it lets nobody in beside the holder for longer than a ttl', async () => {
    const { group, master, replica, first, second } = await open();
    const beliefs = new Beliefs();
    const before = beliefs.add(await lock(first.locks).acquire({ ttl: TTL }));
    await (await master.admin()).wait(1, 2_000);
    await cutOff(master, replica);
    await beliefs.release(before);
    const held = beliefs.add(await lock(second.locks).acquire({ ttl: TTL }));
    await master.kill();
    replica.resume();
    await group.waitForFailover();
    const next = lock(first.locks).acquire({ wait: '20s' });
    if ((await settled(held)) === 'held') await beliefs.release(held);
    await beliefs.release(beliefs.add(await next));
    beliefs.expectRisingFences();
    beliefs.expectOverlapsOf(TTL);
  }, 40_000);

  it('and lets in who has got it already does so for the same one, and whoever has given up hands it on', async () => {
    const { group, master, replica, first, second } = await open();
    const beliefs = new Beliefs();
    const before = beliefs.add(await lock(first.locks).acquire({ ttl: TTL }));
    const abort = new AbortController();
    const gone = await standInLine(second, lock, { ttl: TTL, signal: abort.signal });
    const line = await lineUp([second, first]);
    await (await master.admin()).wait(1, 2_000);
    await cutOff(master, replica);
    abort.abort();
    await expect(gone.lease).rejects.toThrow('cancelled');
    await beliefs.release(before);
    const held = beliefs.add(await line[0]!.lease);
    await master.kill();
    replica.resume();
    await group.waitForFailover();
    if ((await settled(held)) === 'held') await beliefs.release(held);
    await beliefs.release(beliefs.add(await line[1]!.lease));
    beliefs.expectRisingFences();
    beliefs.expectOverlapsOf(TTL);
    await eventually(async () => (await lock(second.locks).tryAcquire())?.release(), 10_000);
  }, 40_000);
});
