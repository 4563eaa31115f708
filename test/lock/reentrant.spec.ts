import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LockNotHeldError, LockTimeoutError, type LockService } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Applications } from './fixtures/model-applications.js';

const applications = new Applications();

const reentrant = { reentrant: true, wait: 0 } as const;

const isFree = async (locks: LockService, name: string): Promise<boolean> => {
  const lease = await locks.tryAcquire(name);
  await lease?.release();
  return lease !== undefined;
};

describe('who holds a lock', () => {
  it('enters again where that is asked for, and only the outermost releases', async () => {
    const [locks, other] = (await applications.openMany(2)) as [LockService, LockService];
    const name = applications.name();
    await locks.using(name, async (outer) => {
      await locks.using(name, reentrant, async (inner) => {
        expect(inner.fence).toBe(outer.fence);
        await using again = await locks.acquire(name, reentrant);
        expect(again.fence).toBe(outer.fence);
        expect(locks.stats().held).toBe(1);
      });
      expect(outer.lost).toBeUndefined();
      expect(outer.remaining).toBeGreaterThan(0);
      expect(await isFree(other, name)).toBe(false);
    });
    expect(await isFree(other, name)).toBe(true);
    expect(locks.stats().held).toBe(0);
  });

  it('keeps it until the last is released, whichever that is', async () => {
    const [locks, other] = (await applications.openMany(2)) as [LockService, LockService];
    const name = applications.name();
    const inner = await locks.using(name, () => locks.acquire(name, reentrant));
    expect(inner.remaining).toBeGreaterThan(0);
    expect(await isFree(other, name)).toBe(false);
    expect(await inner.extend()).toBeGreaterThan(0);
    expect(await inner.release()).toBe('released');
    expect(await inner.release()).toBe('released');
    expect(await isFree(other, name)).toBe(true);
  });

  it('releasing one lease twice does not release the share of another', async () => {
    const [locks, other] = (await applications.openMany(2)) as [LockService, LockService];
    const name = applications.name();
    await locks.using(name, async () => {
      const inner = await locks.acquire(name, reentrant);
      await Promise.all([inner.release(), inner.release()]);
      await inner.release();
      expect(await isFree(other, name)).toBe(false);
    });
  });

  it('waits for itself where that is not asked for', async () => {
    const locks = await applications.open();
    const name = applications.name();
    await locks.using(name, async () => {
      await expect(locks.using(name, { wait: 100 }, () => 1)).rejects.toThrow(LockTimeoutError);
      expect(await locks.tryAcquire(name)).toBeUndefined();
    });
  });

  it('is told that it waits for itself', async () => {
    const [locks, other] = (await applications.openMany(2)) as [LockService, LockService];
    const name = applications.name();
    const own = /by this very call; `reentrant: true` lets it in/;
    await locks.using(name, async () => {
      await expect(locks.acquire(name, { wait: 50 })).rejects.toThrow(own);
      await expect(locks.acquire(name, { wait: 0 })).rejects.toThrow(own);
      await expect(other.acquire(name, { wait: 0 })).rejects.toThrow(/is locked by another/);
    });
    const { read, write } = locks.readWrite(name);
    // To write it is not let in either way.
    await read.using(async () => {
      await expect(write.acquire({ wait: 0 })).rejects.toThrow(/is locked by another/);
    });
    await using _ = await locks.acquire(name);
    await expect(locks.acquire(name, { wait: 0 })).rejects.toThrow(/is locked by another/);
  });

  it('is not let in with a signal that is aborted', async () => {
    const locks = await applications.open();
    const name = applications.name();
    const signal = AbortSignal.abort(new Error('enough'));
    await locks.using(name, async (lease) => {
      const entering = locks.acquire(name, { ...reentrant, signal });
      await expect(entering).rejects.toMatchObject({ code: 'LOCK_CANCELLED', cause: signal.reason });
      expect(lease.remaining).toBeGreaterThan(0);
    });
  });

  it('enters again from whatever it calls, and nobody else does', async () => {
    const [locks, other] = (await applications.openMany(2)) as [LockService, LockService];
    const name = applications.name();
    const enter = (): Promise<number> => locks.using(name, reentrant, ({ fence }) => fence);
    let started = (): void => undefined;
    const isIn = new Promise<void>((resolve) => (started = resolve));
    let end = (): void => undefined;
    const isOver = new Promise<void>((resolve) => (end = resolve));
    const holding = locks.using(name, async ({ fence }) => {
      await sleep(5);
      const fences = await Promise.all([
        enter(),
        sleep(1).then(enter),
        new Promise((resolve) => setImmediate(resolve)).then(enter),
        new Promise<number>(
          (resolve, reject) => void setTimeout(() => void enter().then(resolve, reject), 1),
        ),
      ]);
      expect(new Set([fence, ...fences])).toEqual(new Set([fence]));
      // Another application, though in the same context.
      await expect(other.using(name, reentrant, () => 1)).rejects.toThrow(LockTimeoutError);
      started();
      await isOver;
    });
    await isIn;
    // The same application, though in another context.
    await expect(enter()).rejects.toThrow(LockTimeoutError);
    end();
    await holding;
  });

  it('does not enter what it no longer holds', async () => {
    const [locks, other] = (await applications.openMany(2)) as [LockService, LockService];
    const name = applications.name();
    let later: Promise<unknown> | undefined;
    await locks.using(name, async () => {
      later = sleep(100).then(() => locks.acquire(name, reentrant).catch((error: unknown) => error));
    });
    const lease = await other.acquire(name);
    expect(await later).toBeInstanceOf(LockTimeoutError);
    await lease.release();
    await locks.using(name, { ttl: '200ms', renew: false }, async ({ signal }) => {
      await eventually(() => signal.aborted);
      const taken = await other.acquire(name);
      await expect(locks.using(name, reentrant, () => 1)).rejects.toThrow(LockTimeoutError);
      await taken.release();
    });
  });

  it('of several resources acquires those that it does not hold', async () => {
    const [locks, other] = (await applications.openMany(2)) as [LockService, LockService];
    const [a, b, c] = [applications.name(), applications.name(), applications.name()];
    await locks.using([a, b], async (outer) => {
      await locks.using([b, a], reentrant, ({ fence }) => expect(fence).toBe(outer.fence));
      await locks.using([a, c], reentrant, async () => {
        for (const name of [a, b, c]) expect(await isFree(other, name)).toBe(false);
        expect(locks.stats().held).toBe(3);
      });
      expect(await isFree(other, c)).toBe(true);
      expect(await isFree(other, a)).toBe(false);
      await locks.using(c, reentrant, () =>
        locks.using([a, b, c], reentrant, () => expect(locks.stats().held).toBe(3)),
      );
    });
    for (const name of [a, b, c]) expect(await isFree(other, name)).toBe(true);
  });

  it('of several resources has all of them in the lease, and learns of the loss of each', async () => {
    const locks = await applications.open();
    const [a, b] = [applications.name(), applications.name()];
    await locks.using(a, { ttl: '400ms', renew: false }, async (outer) => {
      await locks.using([a, b], { ...reentrant, ttl: '10s' }, async (inner) => {
        expect(inner.resources.toSorted()).toEqual([a, b].toSorted());
        expect(inner.remaining).toBeLessThanOrEqual(400);
        const { signal } = inner;
        await eventually(() => signal.aborted);
        expect(inner.lost).toMatchObject({ resource: a });
        expect(outer.lost).toBeDefined();
      });
    });
    expect(await isFree(locks, b)).toBe(true);
  });

  it('to write may read, and to read may not write', async () => {
    const locks = await applications.open();
    const { read, write } = locks.readWrite(applications.name());
    await write.using(async () => {
      expect(await read.using(reentrant, () => 'read')).toBe('read');
      expect(await write.using(reentrant, () => 'written')).toBe('written');
    });
    await read.using(async () => {
      expect(await read.using(reentrant, () => 'read')).toBe('read');
      await expect(write.using(reentrant, () => 1)).rejects.toThrow(LockTimeoutError);
    });
  });

  it('of a permit takes no second one', async () => {
    const locks = await applications.open();
    const semaphore = locks.semaphore(applications.name(), 1);
    await semaphore.using(async () => {
      expect(await semaphore.using(reentrant, () => 'in')).toBe('in');
    });
  });
});

describe('current', () => {
  it('is the innermost lease, and throws elsewhere', async () => {
    const locks = await applications.open();
    const [a, b] = [applications.name(), applications.name()];
    expect(() => locks.current()).toThrow(LockNotHeldError);
    await locks.using(a, async (outer) => {
      expect(locks.current()).toBe(outer);
      await locks.using(b, (inner) => expect(locks.current()).toBe(inner));
      expect(locks.current()).toBe(outer);
      await expect(
        locks.using(b, () => {
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(locks.current()).toBe(outer);
    });
    expect(() => locks.current()).toThrow(LockNotHeldError);
    await using lease = await locks.acquire(a);
    expect(lease.remaining).toBeGreaterThan(0);
    expect(() => locks.current()).toThrow(/current\(\) is for what runs within using\(\)/);
  });

  it('is kept over awaits, timers and Promise.all', async () => {
    const locks = await applications.open();
    const run = async (): Promise<void> => {
      await locks.using(applications.name(), async (lease) => {
        const see = async (): Promise<unknown> => locks.current();
        await sleep(2);
        const seen = await Promise.all([
          see(),
          sleep(1).then(see),
          new Promise((resolve) => setImmediate(() => resolve(locks.current()))),
          new Promise((resolve) => setTimeout(() => resolve(locks.current()), 1)),
          new Promise((resolve) => process.nextTick(() => resolve(locks.current()))),
        ]);
        for (const each of seen) expect(each).toBe(lease);
      });
    };
    await Promise.all(Array.from({ length: 20 }, run));
  });

  it('of one application is not seen by another', async () => {
    const [one, other] = (await applications.openMany(2)) as [LockService, LockService];
    const [a, b] = [applications.name(), applications.name()];
    await one.using(a, async (outer) => {
      expect(() => other.current()).toThrow(LockNotHeldError);
      await other.using(b, (inner) => {
        expect(other.current()).toBe(inner);
        expect(one.current()).toBe(outer);
      });
    });
  });
});
