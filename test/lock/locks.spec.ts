import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LockCancelledError, LockTimeoutError, LockUnavailableError, type Lease } from 'rednest';
import { FaultProxy } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Applications, refused } from './fixtures/model-applications.js';

const applications = new Applications();

describe('acquire', () => {
  it('holds a resource until it is released, against the same and other applications', async () => {
    const [one, other] = await applications.openMany(2);
    const name = applications.name();
    const lease = await one!.acquire(name);
    expect(lease.resource).toBe(name);
    expect(lease.resources).toEqual([name]);
    expect(lease.lost).toBeUndefined();
    expect(lease.signal.aborted).toBe(false);
    expect(lease.remaining).toBeGreaterThan(5_000);
    expect(lease.remaining).toBeLessThanOrEqual(10_000);
    expect(await one!.tryAcquire(name)).toBeUndefined();
    expect(await other!.tryAcquire(name)).toBeUndefined();
    expect(await lease.release()).toBe('released');
    const next = await other!.tryAcquire(name);
    expect(next!.fence).toBeGreaterThan(lease.fence);
    await next!.release();
  });

  it('does not wait with wait: 0, and says when to try again', async () => {
    const locks = await applications.open({ ttl: '5s' });
    const name = applications.name();
    await locks.acquire(name);
    const error = (await refused(locks.acquire(name, { wait: 0 }))) as LockTimeoutError;
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error).toMatchObject({ resource: name, waited: 0, statusCode: 423, code: 'LOCK_TIMEOUT' });
    expect(error.message).toBe(`'${name}' is locked by another`);
    expect(error.retryAfter).toBeGreaterThanOrEqual(1);
    expect(error.retryAfter).toBeLessThanOrEqual(5);
    expect(locks.stats()).toEqual({ held: 1, waiting: 0 });
  });

  it('gives up after its wait, and then is out of the way', async () => {
    const [one, other] = await applications.openMany(2);
    const name = applications.name();
    const lease = await one!.acquire(name);
    const error = (await refused(other!.acquire(name, { wait: '200ms' }))) as LockTimeoutError;
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(error.waited).toBeGreaterThanOrEqual(199);
    expect(error.message).toMatch(/^'resource-\d+' was still locked after \d+ ms$/);
    expect(other!.stats()).toEqual({ held: 0, waiting: 0 });
    await lease.release();
    // Its place in the queue is gone: who does not wait gets in.
    await eventually(async () => (await one!.tryAcquire(name)) !== undefined);
  });

  it('is handed on at once, in the order of arrival', async () => {
    const many = await applications.openMany(3);
    const name = applications.name();
    const lease = await many[0]!.acquire(name);
    const order: number[] = [];
    const waiting: Promise<void>[] = [];
    for (let index = 0; index < 12; index++) {
      const locks = many[index % 3]!;
      waiting.push(locks.using(name, { wait: Infinity }, () => void order.push(index)));
      await eventually(() => many.reduce((sum, each) => sum + each.stats().waiting, 0) === index + 1);
    }
    expect(order).toEqual([]);
    await lease.release();
    await Promise.all(waiting);
    expect(order).toEqual(Array.from({ length: 12 }, (_, index) => index));
  });

  it('lets nobody overtake who waits', async () => {
    const [one, other] = await applications.openMany(2);
    const name = applications.name();
    const lease = await one!.acquire(name);
    const waiting = other!.acquire(name);
    await eventually(() => other!.stats().waiting === 1);
    const releasing = lease.release();
    const overtaking = one!.tryAcquire(name);
    await releasing;
    expect(await overtaking).toBeUndefined();
    await (await waiting).release();
  });

  it('gives fences that rise, over all applications and also after a loss of data', async () => {
    const many = await applications.openMany(3);
    const name = applications.name();
    const fences: number[] = [];
    const note = ({ fence }: Lease): void => void fences.push(fence);
    for (let round = 0; round < 5; round++) {
      await Promise.all(many.map((locks) => locks.using(name, note)));
      await (await applications.server.admin()).flushall();
    }
    expect(fences).toHaveLength(15);
    expect(fences).toEqual([...new Set(fences)].toSorted((one, other) => one - other));
    expect(fences.every(Number.isSafeInteger)).toBe(true);
  });

  it('keeps names apart, whatever is in them', async () => {
    const locks = await applications.open();
    const names = ['a', 'A', 'a b', 'a:b', '{a}', 'a}', '}', '{', 'ä', '*', '%', 'a\nb', 'a:queue', ' a'];
    const leases = await Promise.all(names.map((name) => locks.tryAcquire(name)));
    expect(leases.map((lease) => lease?.resource)).toEqual(names);
    const waiting = names.map((name) => locks.acquire(name));
    await eventually(() => locks.stats().waiting === names.length);
    for (const lease of leases) await lease!.release();
    for (const lease of await Promise.all(waiting)) expect(await lease.release()).toBe('released');
  });
});

describe('release', () => {
  it('is idempotent, also at the same time', async () => {
    const locks = await applications.open();
    const name = applications.name();
    const lease = await locks.acquire(name);
    expect(await Promise.all([lease.release(), lease.release()])).toEqual(['released', 'released']);
    const next = await locks.acquire(name);
    expect(await lease.release()).toBe('released');
    expect(await locks.tryAcquire(name)).toBeUndefined();
    expect(next.lost).toBeUndefined();
    expect(lease.remaining).toBe(0);
    expect(lease.signal.aborted).toBe(false);
    expect(lease.lost).toBeUndefined();
  });

  it('happens at the end of a block with await using', async () => {
    const locks = await applications.open();
    const name = applications.name();
    {
      await using lease = await locks.acquire(name);
      expect(lease.remaining).toBeGreaterThan(0);
      expect(await locks.tryAcquire(name)).toBeUndefined();
    }
    expect(await locks.tryAcquire(name)).toBeDefined();
  });

  it('says where it was lost before', async () => {
    const locks = await applications.open();
    const name = applications.name();
    const lease = await locks.acquire(name);
    await applications.take(name);
    const { signal } = lease;
    expect(await lease.release()).toBe('lost');
    expect(lease.lost).toMatchObject({ resource: name, fence: lease.fence, reason: 'taken' });
    expect(signal.reason).toBe(lease.lost);
    expect(await lease.release()).toBe('lost');
  });

  it('says where Redis could not be told, in time', async () => {
    const locks = await applications.open({ timeout: '200ms', ttl: '30s' });
    const name = applications.name();
    const lease = await locks.acquire(name);
    applications.server.pause();
    try {
      expect(await lease.release()).toBe('unconfirmed');
      expect(lease.remaining).toBe(0);
      expect(locks.stats().held).toBe(0);
    } finally {
      applications.server.resume();
    }
    // The command was on its way: what is late takes effect.
    await eventually(async () => (await locks.tryAcquire(name)) !== undefined);
  });
});

describe('where answers come later than the lease lasts', () => {
  it.each([0, 300])('it is not acquired, and nobody tries for ever (wait: %p)', async (wait) => {
    await using proxy = await FaultProxy.start(applications.server);
    const { locks } = await applications.start({}, proxy.optionsFor(applications.server.options));
    const name = applications.name();
    proxy.delay(60);
    const error = await refused(locks.acquire(name, { ttl: 60, wait }));
    expect(error).toBeInstanceOf(LockUnavailableError);
    expect((error as Error).message).toMatch(/60 ms/);
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
    const waiting = locks.acquire(name, { ttl: 60, wait: '10s' });
    proxy.delay(0);
    await (await waiting).release();
  });
});

describe('a signal', () => {
  const reason = new Error('Enough');

  it('that is aborted already asks nothing of Redis', async () => {
    const locks = await applications.open();
    const name = applications.name();
    const error = await refused(locks.acquire(name, { signal: AbortSignal.abort(reason) }));
    expect(error).toBeInstanceOf(LockCancelledError);
    expect(error).toMatchObject({ resource: name, cause: reason, code: 'LOCK_CANCELLED' });
    expect(await (await applications.server.admin()).exists(`lock:{${name}}`)).toBe(0);
  });

  it('ends a wait at once, and frees the place', async () => {
    const [one, other] = await applications.openMany(2);
    const name = applications.name();
    const lease = await one!.acquire(name);
    const controller = new AbortController();
    const waiting = refused(other!.acquire(name, { wait: Infinity, signal: controller.signal }));
    await eventually(() => other!.stats().waiting === 1);
    controller.abort(reason);
    expect(await waiting).toMatchObject({ code: 'LOCK_CANCELLED', cause: reason });
    expect(other!.stats()).toEqual({ held: 0, waiting: 0 });
    await lease.release();
    await eventually(async () => (await one!.tryAcquire(name)) !== undefined);
  });

  it('while the command is on its way leaves nothing held', async () => {
    const locks = await applications.open();
    for (let turn = 0; turn < 30; turn++) {
      const name = applications.name();
      const controller = new AbortController();
      const acquiring = refused(locks.acquire(name, { signal: controller.signal }));
      if (turn % 3 === 1) await Promise.resolve();
      if (turn % 3 === 2) await new Promise((resolve) => setImmediate(resolve));
      controller.abort(reason);
      const error = await acquiring;
      if (!error) continue;
      expect(error).toMatchObject({ code: 'LOCK_CANCELLED', cause: reason });
      await eventually(async () => (await (await applications.server.admin()).hlen(`lock:{${name}}`)) <= 1);
    }
  });

  it('while Redis is silent ends the wait at once', async () => {
    const locks = await applications.open({ timeout: '30s' });
    const controller = new AbortController();
    applications.server.pause();
    try {
      const acquiring = refused(locks.acquire(applications.name(), { signal: controller.signal }));
      await sleep(20);
      controller.abort(reason);
      expect(await acquiring).toMatchObject({ code: 'LOCK_CANCELLED' });
    } finally {
      applications.server.resume();
    }
    await eventually(() => locks.stats().held === 0);
  });

  it('afterwards does nothing to the lease', async () => {
    const locks = await applications.open();
    const controller = new AbortController();
    const lease = await locks.acquire(applications.name(), { signal: controller.signal });
    controller.abort(reason);
    expect(lease.lost).toBeUndefined();
    expect(lease.signal.aborted).toBe(false);
    expect(await lease.release()).toBe('released');
  });
});

describe('using', () => {
  it('gives what the routine gives, and releases', async () => {
    const locks = await applications.open();
    const name = applications.name();
    expect(await locks.using(name, async ({ fence }) => fence)).toBeGreaterThan(0);
    expect(await locks.using(name, { ttl: '1s' }, () => 'sync')).toBe('sync');
    expect(await locks.using(name, undefined, () => undefined)).toBeUndefined();
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
  });

  it.each(['released', 'lost'])('never masks an error of the routine (%s)', async (outcome) => {
    const locks = await applications.open();
    const name = applications.name();
    const failure = new Error('Booked out');
    const fail = async (): Promise<never> => {
      if (outcome === 'lost') await applications.take(name);
      throw failure;
    };
    expect(await refused(locks.using(name, fail))).toBe(failure);
    const failAtOnce = (): never => {
      throw failure;
    };
    expect(await refused(locks.using(applications.name(), failAtOnce))).toBe(failure);
    expect(await refused(locks.using(applications.name(), () => Promise.reject(undefined as never)))).toBe(
      undefined,
    );
    expect(locks.stats().held).toBe(0);
  });

  it('gives the result also where the lock was lost meanwhile', async () => {
    const locks = await applications.open();
    const name = applications.name();
    const result = await locks.using(name, { ttl: '200ms', renew: false }, async ({ signal }) => {
      await eventually(() => signal.aborted);
      return 'done';
    });
    expect(result).toBe('done');
  });

  it('gives the result also where Redis is away at the end', async () => {
    const locks = await applications.open({ timeout: '100ms' });
    const using = locks.using(applications.name(), async () => {
      applications.server.pause();
      return 'done';
    });
    try {
      expect(await using).toBe('done');
    } finally {
      applications.server.resume();
    }
  });
});
