import { createHook } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { lockChannel, type Lease, type LockService } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Applications } from './fixtures/model-applications.js';

const applications = new Applications();
const endings: (() => void)[] = [];

afterEach(() => {
  for (const end of endings.splice(0)) end();
});

/** How often each resource was lost. */
function losses(): Map<string, number> {
  const counts = new Map<string, number>();
  const receive = (message: unknown): void => {
    const { resource } = message as { resource: string };
    counts.set(resource, (counts.get(resource) ?? 0) + 1);
  };
  subscribe(lockChannel('lost'), receive);
  endings.push(() => void unsubscribe(lockChannel('lost'), receive));
  return counts;
}

async function hold(locks: LockService, count: number, options: { ttl: number }): Promise<Lease[]> {
  const leases: Lease[] = [];
  while (leases.length < count) {
    const some = Array.from({ length: Math.min(500, count - leases.length) }, () => applications.name());
    leases.push(...(await Promise.all(some.map((name) => locks.acquire(name, options)))));
  }
  return leases;
}

/** Timers that the locks have set from now on, those that keep no process alive too, and that neither ran nor were cleared. */
function timers(): { readonly pending: Set<number>; readonly set: () => number } {
  const pending = new Set<number>();
  let count = 0;
  const hook = createHook({
    init: (id, type) => {
      if (type !== 'Timeout' || !new Error('Where').stack!.includes('/src/lock/')) return;
      pending.add(id);
      count++;
    },
    destroy: (id) => void pending.delete(id),
  }).enable();
  endings.push(() => void hook.disable());
  return { pending, set: () => count };
}

describe('ten thousand leases that are idle', () => {
  const COUNT = 10_000;
  /** How many are renewed by one script. */
  const EACH = 500;

  it('are renewed by a script for each 500 of them and interval, and all are held still', async () => {
    const locks = await applications.open({ timeout: '5s' });
    const ttl = 4_000;
    const leases = await hold(locks, COUNT, { ttl });
    const lost = losses();
    const before = await applications.scriptCalls();
    const since = performance.now();
    await sleep(ttl * 1.2);
    const scripts = (await applications.scriptCalls()) - before;
    // A renewal is due after a third of the ttl; with others, it may be a ninth of the ttl early.
    const intervals = Math.ceil((performance.now() - since) / (ttl * (2 / 9)));
    expect(scripts).toBeGreaterThan(0);
    expect(scripts).toBeLessThanOrEqual((COUNT / EACH) * intervals * 1.5);
    expect(lost.size).toBe(0);
    expect(locks.stats()).toEqual({ held: COUNT, waiting: 0 });
    expect(leases.filter((lease) => lease.remaining === 0)).toEqual([]);
    const [other] = await applications.openMany(1);
    for (const lease of [leases[0]!, leases[5_000]!, leases[9_999]!])
      expect(await other!.tryAcquire(lease.resource)).toBeUndefined();
  });

  it('cost nothing between the renewals', async () => {
    const locks = await applications.open({ timeout: '5s' });
    await hold(locks, COUNT, { ttl: 600_000 });
    const { set } = timers();
    const scripts = await applications.scriptCalls();
    const cpu = process.cpuUsage();
    await sleep(1_000);
    const { user, system } = process.cpuUsage(cpu);
    // Of a second. Jest and the driver have something to do, too.
    expect((user + system) / 1_000).toBeLessThan(250);
    expect((await applications.scriptCalls()) - scripts).toBe(0);
    expect(set()).toBe(0);
  });
});

describe('the timer', () => {
  it('is none while nothing is held, and none after the end', async () => {
    const { pending, set } = timers();
    const { app, locks } = await applications.start();
    const name = applications.name();
    expect(set()).toBe(0);
    const leases = [await locks.acquire(name), await locks.acquire(applications.name())];
    const waiting = locks.acquire(name, { wait: '1m' }).catch((error: unknown) => error);
    await eventually(() => locks.stats().waiting === 1);
    await app.close();
    expect(await waiting).toMatchObject({ code: 'LOCK_CANCELLED' });
    for (const lease of leases) expect(lease.lost).toMatchObject({ reason: 'shutdown' });
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
    expect(set()).toBeGreaterThan(0);
    await eventually(() => pending.size === 0);
  });

  it('ends leases on time, the short ones before the long ones', async () => {
    const locks = await applications.open();
    const order: number[] = [];
    const since = performance.now();
    for (const ttl of [900, 300, 600]) {
      const { signal } = await locks.acquire(applications.name(), { ttl, renew: false });
      signal.addEventListener('abort', () => {
        expect(performance.now() - since).toBeGreaterThan(ttl - 20);
        order.push(ttl);
      });
    }
    await eventually(() => order.length === 3);
    expect(order).toEqual([300, 600, 900]);
  });

  it('lets short leases live beside long ones', async () => {
    const locks = await applications.open();
    const lost = losses();
    const leases = [
      ...(await hold(locks, 20, { ttl: 30_000 })),
      ...(await hold(locks, 20, { ttl: 400 })),
      ...(await hold(locks, 20, { ttl: 1_000 })),
    ];
    await sleep(1_500);
    expect(lost.size).toBe(0);
    const outcomes = await Promise.all(leases.map((lease) => lease.release()));
    expect(new Set(outcomes)).toEqual(new Set(['released']));
  });
});

describe('where Redis does not answer', () => {
  it('for less than the ttl, nobody loses', async () => {
    const locks = await applications.open({ timeout: '200ms' });
    const leases = await hold(locks, 100, { ttl: 4_000 });
    const lost = losses();
    applications.server.pause();
    await sleep(1_500);
    applications.server.resume();
    await eventually(() => leases.every(({ remaining }) => remaining > 2_700));
    expect(lost.size).toBe(0);
    const outcomes = await Promise.all(leases.map((lease) => lease.release()));
    expect(new Set(outcomes)).toEqual(new Set(['released']));
  });

  it('for longer, all lose at their deadline, once', async () => {
    const locks = await applications.open({ timeout: '200ms' });
    const leases = await hold(locks, 50, { ttl: 800 });
    const lost = losses();
    const late: number[] = [];
    for (const { signal } of leases)
      signal.addEventListener('abort', () => late.push(performance.now() - since));
    applications.server.pause();
    const since = performance.now();
    try {
      await eventually(() => late.length === 50);
      expect(Math.max(...late)).toBeLessThan(800 + 1_000);
      expect(leases.every((lease) => lease.lost?.reason === 'expired')).toBe(true);
      expect(leases.every(({ remaining }) => remaining === 0)).toBe(true);
    } finally {
      applications.server.resume();
    }
    const outcomes = await Promise.all(leases.map((lease) => lease.release()));
    expect(new Set(outcomes)).toEqual(new Set(['lost']));
    // Nothing that was on its way brings a lease back.
    await eventually(async () => {
      const free = await Promise.all(leases.map(({ resource }) => locks.tryAcquire(resource)));
      for (const lease of free) await lease?.release();
      return free.every(Boolean);
    });
    expect([...lost.values()]).toEqual(Array.from({ length: 50 }, () => 1));
  });

  it('before it is down for good, nobody is kept from ending', async () => {
    const locks = await applications.open({ timeout: '200ms' });
    const [lease] = await hold(locks, 1, { ttl: 500 });
    applications.server.pause();
    try {
      await expect(lease!.extend()).rejects.toMatchObject({ code: 'LOCK_UNAVAILABLE' });
      await eventually(() => lease!.signal.aborted);
      await expect(lease!.extend()).rejects.toMatchObject({ code: 'LOCK_LOST', reason: 'expired' });
      expect(await lease!.release()).toBe('lost');
    } finally {
      applications.server.resume();
    }
  });
});
