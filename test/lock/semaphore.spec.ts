import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LockTimeoutError, type Lease, type LockService } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Applications, Overlap } from './fixtures/model-applications.js';

const applications = new Applications();

const waitingIn = (many: readonly LockService[]): number =>
  many.reduce((sum, locks) => sum + locks.stats().waiting, 0);

/** As if a minute had passed since the smaller number was asked for last. */
async function forgetLimit(name: string): Promise<void> {
  const admin = await applications.server.admin();
  const [permits] = String(await admin.hget(`lock:{${name}}:permits`, 'limit')).split(' ');
  await admin.hset(`lock:{${name}}:permits`, 'limit', `${permits} 1`);
}

/** Acquires until nothing is left. */
async function drain(locks: LockService, name: string, permits: number): Promise<Lease[]> {
  const leases: Lease[] = [];
  for (;;) {
    const lease = await locks.semaphore(name, permits).tryAcquire();
    if (!lease) return leases;
    leases.push(lease);
  }
}

describe('a semaphore', () => {
  it('lets in as many as there are permits', async () => {
    const [one, other] = await applications.openMany(2);
    const name = applications.name();
    const leases = await drain(one!, name, 3);
    expect(leases).toHaveLength(3);
    expect(new Set(leases.map(({ fence }) => fence)).size).toBe(3);
    const semaphore = other!.semaphore(name, 3);
    await expect(semaphore.acquire({ wait: 50 })).rejects.toThrow(LockTimeoutError);
    await leases[1]!.release();
    const next = await semaphore.tryAcquire();
    expect(next!.fence).toBeGreaterThan(Math.max(...leases.map(({ fence }) => fence)));
    expect(await semaphore.tryAcquire()).toBeUndefined();
  });

  it('is another than a lock or a read/write lock of that name', async () => {
    const locks = await applications.open();
    const name = applications.name();
    expect(await locks.tryAcquire(name)).toBeDefined();
    expect(await locks.semaphore(name, 1).tryAcquire()).toBeDefined();
    expect(await locks.readWrite(name).write.tryAcquire()).toBeDefined();
  });

  it('never lets in more, over several applications', async () => {
    const many = await applications.openMany(3);
    const name = applications.name();
    const overlap = new Overlap();
    const run = async (index: number): Promise<void> => {
      const semaphore = many[index % 3]!.semaphore(name, 4);
      for (let turn = 0; turn < 10; turn++) {
        await semaphore.using({ wait: '15s' }, async () => {
          overlap.enter();
          await sleep(Math.random() * 5);
          overlap.leave();
        });
      }
    };
    await Promise.all(Array.from({ length: 30 }, (_, index) => run(index)));
    expect(overlap).toMatchObject({ inside: 0, total: 300, most: 4 });
  });

  it('lets in by arrival', async () => {
    const many = await applications.openMany(2);
    const name = applications.name();
    const held = await drain(many[0]!, name, 2);
    const order: number[] = [];
    const waiting: Promise<void>[] = [];
    for (let index = 0; index < 8; index++) {
      const acquiring = many[index % 2]!.semaphore(name, 2).acquire({ wait: '10s' });
      waiting.push(
        acquiring.then(async (lease) => {
          order.push(index);
          await lease.release();
        }),
      );
      await eventually(() => waitingIn(many) === index + 1);
    }
    await held[0]!.release();
    await Promise.all(waiting);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('has the permits back that were not renewed', async () => {
    const [one, other] = await applications.openMany(2);
    const name = applications.name();
    const semaphore = one!.semaphore(name, 2);
    const lost = await semaphore.acquire({ ttl: '400ms', renew: false });
    const kept = await semaphore.acquire({ ttl: '400ms' });
    const next = await other!.semaphore(name, 2).acquire({ wait: '5s' });
    expect(lost.lost).toMatchObject({ reason: 'expired' });
    expect(kept.lost).toBeUndefined();
    expect(await lost.release()).toBe('lost');
    expect(await other!.semaphore(name, 2).tryAcquire()).toBeUndefined();
    expect(await next.release()).toBe('released');
    expect(await kept.release()).toBe('released');
  });

  it.each([1, 2])('of two numbers of permits the smaller holds, %p of 4', async (smaller) => {
    const [old, current] = await applications.openMany(2);
    const name = applications.name();
    const first = await old!.semaphore(name, smaller).acquire();
    const beside = await drain(current!, name, 4);
    expect(beside).toHaveLength(smaller - 1);
    await Promise.all([first, ...beside].map((lease) => lease.release()));
    // It holds still, although nobody holds a permit of it.
    const leases = await drain(current!, name, 4);
    expect(leases).toHaveLength(smaller);
    await Promise.all(leases.map((lease) => lease.release()));
    await forgetLimit(name);
    expect(await drain(current!, name, 4)).toHaveLength(4);
  });

  it.each(['semaphore', 'readWrite'] as const)(
    'is held on by all where Redis has lost its data: %s',
    async (kind) => {
      const many = await applications.openMany(3);
      const name = applications.name();
      const of = (locks: LockService) =>
        kind === 'semaphore' ? locks.semaphore(name, 3) : locks.readWrite(name).read;
      const leases = await Promise.all(many.map((locks) => of(locks).acquire()));
      await (await applications.server.admin()).flushall();
      for (const lease of leases.toReversed()) expect(await lease.extend()).toBeGreaterThan(0);
      for (const lease of leases) expect(await lease.extend()).toBeGreaterThan(0);
      if (kind === 'semaphore') expect(await of(many[0]!).tryAcquire()).toBeUndefined();
      else expect(await many[0]!.readWrite(name).write.tryAcquire()).toBeUndefined();
      for (const lease of leases) expect(await lease.release()).toBe('released');
    },
  );

  it('is not entered by the smaller number while more are in', async () => {
    const [old, current] = await applications.openMany(2);
    const name = applications.name();
    const leases = await drain(current!, name, 4);
    expect(leases).toHaveLength(4);
    expect(await old!.semaphore(name, 2).tryAcquire()).toBeUndefined();
    const waiting = old!.semaphore(name, 2).acquire({ wait: '10s' });
    await eventually(() => old!.stats().waiting === 1);
    await leases.pop()!.release();
    await leases.pop()!.release();
    expect(await current!.semaphore(name, 4).tryAcquire()).toBeUndefined();
    expect(old!.stats().waiting).toBe(1);
    await leases.pop()!.release();
    await (await waiting).release();
  });

  it('may have a thousand permits', async () => {
    const locks = await applications.open({ ttl: '30s', timeout: '10s' });
    const name = applications.name();
    const semaphore = locks.semaphore(name, 1_000);
    const leases: Lease[] = [];
    for (let round = 0; round < 10; round++)
      leases.push(...(await Promise.all(Array.from({ length: 100 }, () => semaphore.acquire()))));
    expect(await semaphore.tryAcquire()).toBeUndefined();
    const waiting = semaphore.acquire({ wait: '5s' });
    await eventually(() => locks.stats().waiting === 1);
    const outcomes = await Promise.all(leases.map((lease) => lease.release()));
    expect(new Set(outcomes)).toEqual(new Set(['released']));
    await (await waiting).release();
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
  });
});
