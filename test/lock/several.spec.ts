import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LockCancelledError, LockTimeoutError } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Random } from '../cache/fixtures/versions.js';
import { Applications, Overlap } from './fixtures/model-applications.js';

const applications = new Applications();

const names = (count: number): string[] => Array.from({ length: count }, () => applications.name());

describe('several resources', () => {
  it('are held together, and released together', async () => {
    const [one, other] = await applications.openMany(2);
    const [a, b, c] = names(3) as [string, string, string];
    const lease = await one!.acquire([c, a, b, a]);
    expect(lease.resources.toSorted()).toEqual([a, b, c].toSorted());
    expect(lease.resource.split(', ').toSorted()).toEqual([a, b, c].toSorted());
    for (const name of [a, b, c]) expect(await other!.tryAcquire(name)).toBeUndefined();
    expect(one!.stats().held).toBe(3);
    expect(await lease.release()).toBe('released');
    expect(one!.stats().held).toBe(0);
    for (const name of [a, b, c]) expect(await other!.tryAcquire(name)).toBeDefined();
  });

  it.each([0, 1, 2])('tell of the one that was taken: %p', async (index) => {
    const locks = await applications.open();
    const list = names(3);
    const lease = await locks.acquire(list, { renew: false });
    await applications.take(list[index]!);
    expect(await lease.release()).toBe('lost');
    expect(lease.lost).toMatchObject({ reason: 'taken', resource: list[index] });
  });

  it('or none: one that is held keeps none of the others', async () => {
    const [one, other] = await applications.openMany(2);
    const [a, b, c] = names(3) as [string, string, string];
    await other!.acquire(b);
    expect(await one!.tryAcquire([a, b, c])).toBeUndefined();
    await eventually(async () => {
      const free = await Promise.all([a, c].map((name) => other!.tryAcquire(name)));
      for (const lease of free) await lease?.release();
      return free.every(Boolean);
    });
    expect(one!.stats()).toEqual({ held: 0, waiting: 0 });
  });

  it.each(['timeout', 'signal'])('a wait that ends by %s frees what was acquired', async (end) => {
    const [one, other] = await applications.openMany(2);
    const list = names(3);
    // The last in their order, whatever that is, after the others were acquired.
    const last = list.toSorted().at(-1)!;
    await other!.acquire(last);
    const controller = new AbortController();
    const options = { wait: end === 'timeout' ? 250 : Infinity, signal: controller.signal };
    const waiting = one!.acquire(list, options).catch((error: unknown) => error);
    await eventually(() => one!.stats().waiting === 1);
    if (end === 'signal') controller.abort();
    const error = await waiting;
    expect(error).toBeInstanceOf(end === 'timeout' ? LockTimeoutError : LockCancelledError);
    expect(error).toMatchObject({ resource: last });
    await eventually(async () => {
      const free = await Promise.all(
        list.filter((name) => name !== last).map((name) => other!.tryAcquire(name)),
      );
      return free.every(Boolean);
    });
    expect(one!.stats()).toEqual({ held: 0, waiting: 0 });
  });

  it('have one fence, higher than any before of each', async () => {
    const [one, other] = await applications.openMany(2);
    const [a, b, c] = names(3) as [string, string, string];
    const before: number[] = [];
    for (const name of [b, a, c, a, b]) before.push(await other!.using(name, ({ fence }) => fence));
    const fence = await one!.using([c, b, a], (lease) => lease.fence);
    expect(fence).toBeGreaterThan(Math.max(...before));
    for (const name of [a, b, c])
      expect(await other!.using(name, (lease) => lease.fence)).toBeGreaterThan(fence);
  });

  it('have a fence that is higher also where one of them is far ahead', async () => {
    const locks = await applications.open();
    const list = names(2);
    const far = 8_000_000_000_000_000;
    await (await applications.server.admin()).hset(`lock:{${list[1]}}`, 'fence', String(far));
    expect(await locks.using(list, ({ fence }) => fence)).toBe(far + 1);
    expect(await locks.using(list[0]!, ({ fence }) => fence)).toBeGreaterThan(far + 1);
  });

  it('are all lost with one, and the others are free for others', async () => {
    const [one, other] = await applications.openMany(2);
    const [a, b] = names(2) as [string, string];
    const lease = await one!.acquire([a, b], { ttl: '10s' });
    const { signal } = lease;
    // As where the data of one is lost, and it was acquired by another meanwhile.
    const admin = await applications.server.admin();
    await admin.del(`lock:{${a}}`);
    const next = await other!.acquire(a);
    await expect(lease.extend()).rejects.toMatchObject({ code: 'LOCK_LOST', resource: a, reason: 'taken' });
    expect(signal.aborted).toBe(true);
    expect(lease.remaining).toBe(0);
    expect(one!.stats().held).toBe(0);
    const free = await other!.acquire(b, { wait: '3s' });
    expect(await lease.release()).toBe('lost');
    expect(next.lost).toBeUndefined();
    expect(await next.extend()).toBeGreaterThan(0);
    expect(await free.extend()).toBeGreaterThan(0);
  });

  it('are renewed together, and end together', async () => {
    const [one, other] = await applications.openMany(2);
    const list = names(4);
    const lease = await one!.acquire(list, { ttl: '300ms' });
    await sleep(900);
    for (const name of list) expect(await other!.tryAcquire(name)).toBeUndefined();
    expect(await lease.extend('2s')).toBeGreaterThan(1_000);
    expect(await lease.release()).toBe('released');
    const short = await one!.acquire(list, { ttl: '300ms', renew: false });
    await eventually(() => short.lost?.reason === 'expired');
    for (const name of list) await (await other!.acquire(name, { wait: '3s' })).release();
    const kept = await one!.acquire(list, { atLeastFor: '500ms' });
    await kept.release();
    for (const name of list) expect(await other!.tryAcquire(name)).toBeUndefined();
    for (const name of list) await (await other!.acquire(name, { wait: '3s' })).release();
  });

  it('whole time is there at the start, also where the first was waited with for long', async () => {
    const [one, other] = await applications.openMany(2);
    const list = names(2).toSorted();
    const last = await other!.acquire(list[1]!);
    const waiting = one!.acquire(list, { ttl: '800ms', renew: false });
    await sleep(600);
    await last.release();
    const lease = await waiting;
    expect(lease.remaining).toBeGreaterThan(400);
    expect(lease.lost).toBeUndefined();
    await lease.release();
  });

  it.each([{ renew: false }, { atMostFor: 400 }])(
    'the first is held for as long as the last is waited for (%p)',
    async (options) => {
      const [one, other] = await applications.openMany(2);
      const list = names(2).toSorted();
      const last = await other!.acquire(list[1]!);
      const lost: unknown[] = [];
      const waiting = one!.acquire(list, { ttl: 400, wait: '10s', ...options });
      await eventually(() => one!.stats().waiting === 1);
      const behind = other!.acquire(list[1]!, { wait: '10s' });
      for (let round = 0; round < 12; round++) {
        await sleep(100);
        if (await other!.tryAcquire(list[0]!)) lost.push(round);
      }
      expect(lost).toEqual([]);
      await last.release();
      // Nor has it lost its place, for want of the first.
      const lease = await waiting;
      expect(other!.stats().waiting).toBe(1);
      expect(lease.remaining).toBeGreaterThan(200);
      await eventually(() => lease.lost !== undefined);
      await (await behind).release();
    },
  );

  it('of which one is lost while another is waited for are acquired anew', async () => {
    const [one, other] = await applications.openMany(2);
    const list = names(2).toSorted();
    const last = await other!.acquire(list[1]!);
    const waiting = one!.acquire(list, { ttl: '1s', wait: '10s' });
    await eventually(() => one!.stats().waiting === 1);
    await (await applications.server.admin()).del(`lock:{${list[0]}}`);
    const taken = await other!.acquire(list[0]!);
    await last.release();
    await eventually(() => one!.stats().waiting === 1);
    await taken.release();
    const lease = await waiting;
    expect(lease.fence).toBeGreaterThan(taken.fence);
    for (const name of list) expect(await other!.tryAcquire(name)).toBeUndefined();
    expect(await lease.release()).toBe('released');
  });

  it('in opposite orders never keep each other waiting for ever', async () => {
    const many = await applications.openMany(2);
    const [a, b] = names(2) as [string, string];
    const overlap = new Overlap();
    const visit = async (): Promise<void> => {
      overlap.enter();
      await sleep(1);
      overlap.leave();
    };
    const orders = [
      [a, b],
      [b, a],
    ];
    const tasks = Array.from({ length: 60 }, (_, index) =>
      many[index % 2]!.using(orders[(index >> 1) % 2]!, { wait: '15s' }, visit),
    );
    await Promise.all(tasks);
    expect(overlap).toMatchObject({ most: 1, total: 60, inside: 0 });
  });

  it('in random lists: no overlap, no deadlock, fences that rise for each', async () => {
    const seed = Number(process.env.LOCK_SEED ?? randomInt(2 ** 31));
    const random = new Random(seed);
    const many = await applications.openMany(3);
    const list = names(6);
    const overlaps = new Map(list.map((name) => [name, new Overlap()]));
    const fences = new Map(list.map((name) => [name, [] as number[]]));
    const run = async (index: number): Promise<void> => {
      for (let turn = 0; turn < 12; turn++) {
        const some = random.some(list).toSorted(() => random.next() - 0.5);
        await many[index % 3]!.using(some, { wait: '15s', ttl: '2s' }, async ({ fence }) => {
          for (const name of some) {
            overlaps.get(name)!.enter();
            fences.get(name)!.push(fence);
          }
          await sleep(random.below(4));
          for (const name of some) overlaps.get(name)!.leave();
        });
      }
    };
    await Promise.all(Array.from({ length: 15 }, (_, index) => run(index)));
    for (const name of list) {
      expect({ seed, most: overlaps.get(name)!.most }).toEqual({ seed, most: 1 });
      const given = fences.get(name)!;
      expect({ seed, given }).toEqual({
        seed,
        given: [...new Set(given)].toSorted((one, other) => one - other),
      });
    }
    for (const locks of many) expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
  });
});
