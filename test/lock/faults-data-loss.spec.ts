import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Duration } from 'rednest';
import { eventually } from '../support/eventually.js';
import { ServedProcessGroup } from './fixtures/served-process-group.js';
import type { LockProcess, RemoteLease } from './fixtures/process-handle.js';
import { fencesOf, isRising, readRecord } from './fixtures/record.js';

const TTL = 900;

/** An hour, in the server's microseconds: by so much may a clock have been ahead. */
const HOUR = 3_600_000_000;

const group = new ServedProcessGroup(3, { ttl: TTL, wait: '20s' });

async function queued(): Promise<number> {
  return (await group.server.admin()).zcard('lock:{tour}:queue');
}

/** Who waits, and is known to live. */
async function known(): Promise<number> {
  return (await group.server.admin()).hlen('lock:{tour}:waiters');
}

/** Has processes wait one after the other. */
async function join(waiters: readonly LockProcess[], ttl: Duration = TTL): Promise<Promise<RemoteLease>[]> {
  const acquiring: Promise<RemoteLease>[] = [];
  for (const waiter of waiters) {
    const before = await queued();
    const lease = waiter.acquire('tour', { ttl });
    lease.catch(() => undefined);
    acquiring.push(lease);
    await eventually(async () => (await queued()) > before);
  }
  return acquiring;
}

/** Waits until the server knows of the lease again. */
async function reinstated({ fence }: RemoteLease): Promise<void> {
  const admin = await group.server.admin();
  await eventually(async () =>
    (await admin.hvals('lock:{tour}')).some((value) => value.split(' ')[1] === String(fence)),
  );
}

/** Has each go out again, in this order. */
async function goThrough(acquiring: readonly Promise<RemoteLease>[]): Promise<number[]> {
  const fences: number[] = [];
  for (const each of acquiring) {
    const lease = await each;
    expect(await lease.write()).toBe(true);
    fences.push(lease.fence);
    expect(await lease.release()).toBe('released');
  }
  return fences;
}

/** What loses data: everything, or what belongs to the resource, as an eviction would. */
const losses: [string, () => Promise<unknown>][] = [
  ['all data are lost', async () => (await group.server.admin()).flushall()],
  [
    'the scripts are lost, too',
    async () => (await group.server.admin()).multi().flushall().script('FLUSH').exec(),
  ],
  ['the holder is lost', async () => (await group.server.admin()).del('lock:{tour}')],
  ['the queue is lost', async () => (await group.server.admin()).del('lock:{tour}:queue')],
  ['who waits is lost', async () => (await group.server.admin()).del('lock:{tour}:waiters')],
  ['the server starts anew without data', () => group.server.restart()],
];

describe.each(losses)('when %s', (_, lose) => {
  it('a holder has the resource still from its next renewal on, and the next fence is larger', async () => {
    const [holder, other] = (await group.serve(2)) as [LockProcess, LockProcess];
    const held = await holder.acquire('tour');
    await lose();
    await reinstated(held);
    await expect(other.acquire('tour', { wait: 0 })).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    await sleep(TTL);
    expect(await held.look()).toMatchObject({ lost: undefined, aborted: undefined });
    expect(await held.write()).toBe(true);
    expect(await held.release()).toBe('released');
    const next = await other.acquire('tour');
    expect(next.fence).toBeGreaterThan(held.fence);
    expect(await next.write()).toBe(true);
  });

  it('those who wait behind a holder keep their order, and fences rise', async () => {
    const [holder, first, second] = (await group.serve(3)) as [LockProcess, LockProcess, LockProcess];
    const held = await holder.acquire('tour');
    // They ask seldom: who asks before the holder has renewed finds the resource free, and that is all that can be told then.
    const waiting = await join([first, second, first, second], '10s');
    await lose();
    const outcome = await eventually(() => held.extend()).then(
      () => 'released',
      () => 'lost',
    );
    if (outcome === 'released') await eventually(async () => (await queued()) === 4 && (await known()) === 4);
    expect(await held.release()).toBe(outcome);
    const order: number[] = [];
    const throughs = waiting.map(async (each, index) => {
      const lease = await each;
      order.push(index);
      expect(await lease.write()).toBe(true);
      expect(await lease.release()).toBe('released');
    });
    await Promise.all(throughs);
    if (outcome === 'released') expect(order).toEqual([0, 1, 2, 3]);
    const fences = fencesOf(await readRecord(group.record, 'tour'));
    expect(fences).toHaveLength(5);
    expect(isRising(fences)).toBe(true);
    expect(await queued()).toBe(0);
  });
});

describe('fences', () => {
  it('rise from one that is ahead of the clock', async () => {
    const [one, other] = (await group.serve(2)) as [LockProcess, LockProcess];
    const ahead = Date.now() * 1_000 + HOUR;
    await (await group.server.admin()).hset('lock:{tour}', 'fence', ahead);
    const first = await one.acquire('tour');
    expect(first.fence).toBe(ahead + 1);
    const waiting = await join([other, one]);
    expect(await first.write()).toBe(true);
    expect(await first.release()).toBe('released');
    expect(await goThrough(waiting)).toEqual([ahead + 2, ahead + 3]);
  });

  it('of a holder that was ahead of the clock, and then lost its data, are not given out again', async () => {
    const [one, other] = (await group.serve(2)) as [LockProcess, LockProcess];
    const admin = await group.server.admin();
    const ahead = Date.now() * 1_000 + HOUR;
    await admin.hset('lock:{tour}', 'fence', ahead);
    const held = await one.acquire('tour');
    await admin.flushall();
    await reinstated(held);
    const [waiting] = await join([other]);
    expect(await held.write()).toBe(true);
    expect(await held.release()).toBe('released');
    const next = await waiting!;
    expect(next.fence).toBe(held.fence + 1);
    expect(await next.write()).toBe(true);
  });

  it('do not rise for who asks again under the same lease', async () => {
    const [one] = (await group.serve(1)) as [LockProcess];
    const held = await one.acquire('tour');
    await held.extend();
    await sleep(TTL);
    expect(await (await group.server.admin()).hget('lock:{tour}', 'fence')).toBe(String(held.fence));
  });

  it('are forgotten within about an hour, and so is what belongs to a resource that nobody uses', async () => {
    const [one, other] = (await group.serve(2)) as [LockProcess, LockProcess];
    const held = await one.acquire('tour');
    const [waiting] = await join([other]);
    expect(await held.release()).toBe('released');
    expect(await (await waiting!).release()).toBe('released');
    const admin = await group.server.admin();
    expect(await admin.keys('*')).toEqual(['lock:{tour}']);
    const life = await admin.pttl('lock:{tour}');
    expect(life).toBeGreaterThan(1_800_000);
    expect(life).toBeLessThanOrEqual(3_600_000 + TTL);
  });
});
