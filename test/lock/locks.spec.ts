import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  LockCancelledError,
  LockConfigurationError,
  LockLostError,
  LockTimeoutError,
  LockUnavailableError,
  type Lease,
} from 'rednest';
import { FaultProxy } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Applications } from './fixtures/model-applications.js';

const applications = new Applications();

/** Redis forgets who holds a resource, as where data is lost; a later fence was given out. */
async function take(name: string): Promise<void> {
  const admin = await applications.server.admin();
  await admin.del(`lock:{${name}}`);
  await admin.hset(`lock:{${name}}`, 'fence', '9000000000000000');
}

async function refused(trying: Promise<unknown>): Promise<unknown> {
  return trying.then(
    () => undefined,
    (error: unknown) => error,
  );
}

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

  it('gives up after its wait, and then is in nobody’s way', async () => {
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
    const names = ['a', 'A', 'a b', 'a:b', '{a}', 'a}', '}', '{', 'ä', '*', '%', 'a\nb', 'a:queue', ' '];
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
    await take(name);
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
    await applications.server.pause();
    try {
      expect(await lease.release()).toBe('unconfirmed');
      expect(lease.remaining).toBe(0);
      expect(locks.stats().held).toBe(0);
    } finally {
      await applications.server.resume();
    }
    // The command was on its way: what is late takes effect.
    await eventually(async () => (await locks.tryAcquire(name)) !== undefined);
  });
});

describe('extend', () => {
  it('gives the whole ttl again, or another', async () => {
    const [locks, other] = await applications.openMany(2);
    const name = applications.name();
    const lease = await locks!.acquire(name, { ttl: '400ms', renew: false });
    await sleep(150);
    expect(await lease.extend()).toBeGreaterThan(250);
    expect(await lease.extend('10s')).toBeGreaterThan(9_000);
    await sleep(450);
    expect(lease.lost).toBeUndefined();
    expect(await other!.tryAcquire(name)).toBeUndefined();
  });

  it('to less than is left is never believed to be more', async () => {
    const [locks, other] = await applications.openMany(2);
    const name = applications.name();
    const lease = await locks!.acquire(name, { ttl: '10s', renew: false });
    expect(await lease.extend('200ms')).toBeLessThanOrEqual(200);
    expect(lease.remaining).toBeLessThanOrEqual(200);
    const next = await other!.acquire(name, { wait: '5s' });
    expect(lease.lost).toMatchObject({ reason: 'expired' });
    await next.release();
  });

  it('to less is renewed in time', async () => {
    const [locks, other] = await applications.openMany(2);
    const name = applications.name();
    const lease = await locks!.acquire(name, { ttl: '10s' });
    await lease.extend('600ms');
    await sleep(1_500);
    expect(lease.lost).toBeUndefined();
    expect(await other!.tryAcquire(name)).toBeUndefined();
    expect(await lease.release()).toBe('released');
  });

  it('to less counts also where Redis does not answer', async () => {
    const locks = await applications.open({ timeout: '100ms' });
    const name = applications.name();
    const lease = await locks.acquire(name, { ttl: '10s', renew: false });
    await applications.server.pause();
    try {
      await expect(lease.extend('300ms')).rejects.toThrow(LockUnavailableError);
      expect(lease.remaining).toBeLessThanOrEqual(300);
    } finally {
      await applications.server.resume();
    }
  });

  it('of two at the same time, the later holds', async () => {
    const locks = await applications.open();
    const name = applications.name();
    const lease = await locks.acquire(name, { ttl: '1s', renew: false });
    await Promise.all([lease.extend('20s'), lease.extend('500ms')]);
    expect(lease.remaining).toBeLessThanOrEqual(500);
    await Promise.all([lease.extend('500ms'), lease.extend('20s')]);
    expect(lease.remaining).toBeGreaterThan(15_000);
  });

  it('throws where it is lost, and refuses what is no ttl', async () => {
    const locks = await applications.open();
    const name = applications.name();
    const lease = await locks.acquire(name);
    expect((await refused(lease.extend('soon' as never))) as Error).toBeInstanceOf(LockConfigurationError);
    expect((await refused(lease.extend(5))) as Error).toBeInstanceOf(LockConfigurationError);
    await take(name);
    await expect(lease.extend()).rejects.toBeInstanceOf(LockLostError);
    await expect(lease.extend()).rejects.toBe(lease.lost);
    expect(lease.remaining).toBe(0);
  });

  it('does not bring back what was released', async () => {
    const locks = await applications.open();
    const name = applications.name();
    const lease = await locks.acquire(name);
    await lease.release();
    await expect(lease.extend()).rejects.toThrow(/released/);
    expect(await locks.tryAcquire(name)).toBeDefined();
  });
});

describe('how long a lease lasts', () => {
  it('it is renewed for as long as it is held', async () => {
    const [locks, other] = await applications.openMany(2);
    const name = applications.name();
    const lease = await locks!.acquire(name, { ttl: '300ms' });
    for (let round = 0; round < 6; round++) {
      await sleep(150);
      expect(lease.remaining).toBeGreaterThan(0);
      expect(await other!.tryAcquire(name)).toBeUndefined();
    }
    expect(await lease.release()).toBe('released');
  });

  it.each([false, true])('with renew: false it ends after the ttl (handed on: %p)', async (isHandedOn) => {
    const [locks, other] = await applications.openMany(2);
    const name = applications.name();
    const before = isHandedOn ? await other!.acquire(name) : undefined;
    const acquiring = locks!.acquire(name, { ttl: '600ms', renew: false });
    await sleep(100);
    await before?.release();
    const lease = await acquiring;
    const since = performance.now();
    const lost = new Promise<void>((resolve) => lease.signal.addEventListener('abort', () => resolve()));
    expect(await other!.tryAcquire(name)).toBeUndefined();
    await lost;
    expect(performance.now() - since).toBeGreaterThan(450);
    expect(lease.lost).toMatchObject({ reason: 'expired', resource: name });
    expect(lease.signal.reason).toBe(lease.lost);
    expect(lease.remaining).toBe(0);
    await eventually(async () => (await other!.tryAcquire(name)) !== undefined);
    expect(await lease.release()).toBe('lost');
  });

  it('a lease of whole seconds that was handed on is not over with the first term', async () => {
    const [locks, other] = await applications.openMany(2);
    const name = applications.name();
    const before = await other!.acquire(name);
    const acquiring = locks!.acquire(name, { ttl: '6s', renew: false });
    await eventually(() => locks!.stats().waiting === 1);
    await before.release();
    const lease = await acquiring;
    await eventually(() => lease.remaining > 4_000);
    expect(lease.lost).toBeUndefined();
  });

  it('atMostFor ends it, although it is renewed', async () => {
    const [locks, other] = await applications.openMany(2);
    const name = applications.name();
    const since = performance.now();
    const lease = await locks!.acquire(name, { ttl: '300ms', atMostFor: '700ms' });
    const next = await other!.acquire(name);
    expect(performance.now() - since).toBeGreaterThan(650);
    expect(lease.lost).toMatchObject({ reason: 'overdue' });
    await next.release();
  });

  it('atMostFor holds against extend', async () => {
    const locks = await applications.open();
    const lease = await locks.acquire(applications.name(), { ttl: '10s', atMostFor: '400ms' });
    expect(await lease.extend('10s')).toBeLessThanOrEqual(400);
    await eventually(() => lease.lost?.reason === 'overdue');
  });

  it('atLeastFor keeps it after the release, and is nothing to a longer one', async () => {
    const [locks, other] = await applications.openMany(2);
    const name = applications.name();
    const since = performance.now();
    const lease = await locks!.acquire(name, { atLeastFor: '500ms' });
    expect(await lease.release()).toBe('released');
    expect(locks!.stats().held).toBe(0);
    expect(await other!.tryAcquire(name)).toBeUndefined();
    const next = await other!.acquire(name, { atLeastFor: '100ms' });
    expect(performance.now() - since).toBeGreaterThan(480);
    await sleep(120);
    await next.release();
    expect(await locks!.tryAcquire(name)).toBeDefined();
  });

  it('a ttl that is no whole number is good, waiting too', async () => {
    const locks = await applications.open();
    const name = applications.name();
    const options = { ttl: 500.5, atMostFor: 3_000.25, atLeastFor: 0.5, wait: 2_000.75 };
    const lease = await locks.acquire(name, options);
    const waiting = locks.acquire(name, options);
    await eventually(() => locks.stats().waiting === 1);
    await lease.release();
    const next = await waiting;
    expect(await next.extend(300.5)).toBeGreaterThan(0);
    expect(await next.release()).toBe('released');
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
    await applications.server.pause();
    try {
      const acquiring = refused(locks.acquire(applications.name(), { signal: controller.signal }));
      await sleep(20);
      controller.abort(reason);
      expect(await acquiring).toMatchObject({ code: 'LOCK_CANCELLED' });
    } finally {
      await applications.server.resume();
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
      if (outcome === 'lost') await take(name);
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
      await applications.server.pause();
      return 'done';
    });
    try {
      expect(await using).toBe('done');
    } finally {
      await applications.server.resume();
    }
  });
});

describe('what is wrong', () => {
  it.each([
    [{ ttl: '5 seconds' }, /ttl: '5 seconds' is not a duration/],
    [{ ttl: 49 }, /ttl: is 49 ms; the shortest is 50 ms/],
    [{ ttl: 0 }, /ttl: 0 is not more than 0 ms/],
    [{ ttl: -1 }, /ttl: -1 is not a duration/],
    [{ ttl: Infinity }, /ttl: Infinity is not a duration/],
    [{ ttl: '30d' }, /ttl: '30d' is more than/],
    [{ wait: 'long' }, /wait: 'long' is not a duration/],
    [{ wait: -1 }, /wait: -1 is not a duration/],
    [{ wait: NaN }, /wait: NaN is not a duration/],
    [{ wait: null }, /wait: null is not a duration/],
    [{ renew: 'no' }, /renew: 'no' is not true or false/],
    [{ reentrant: 1 }, /reentrant: 1 is not true or false/],
    [{ signal: {} }, /signal: an object is not an AbortSignal/],
    [{ atMostFor: 'x' }, /atMostFor: 'x' is not a duration/],
    [{ atMostFor: 0 }, /atMostFor: 0 is not more than 0 ms/],
    [{ atMostFor: 49 }, /atMostFor: is 49 ms; the shortest is 50 ms/],
    [{ atLeastFor: true }, /atLeastFor: true is not a duration/],
    [{ atMostFor: '1s', atLeastFor: '2s' }, /atLeastFor: is 2000 ms, more than atMostFor \(1000 ms\)/],
    [{ tll: '1s' }, /tll: is not an option of rednest; did you mean ttl\?/],
    [{ reentrent: true }, /reentrent: is not an option of rednest; did you mean reentrant\?/],
    ['1s', /options: '1s' is not an object of options/],
    [[], /options: .* is not an object of options/],
  ])('is told of options %p', async (options, message) => {
    const locks = await applications.open();
    const name = applications.name();
    const calls = [
      locks.acquire(name, options as never),
      locks.using(name, options as never, () => 1),
      locks.tryAcquire(name, options as never),
    ];
    for (const call of calls) {
      const error = await refused(call);
      expect(error).toBeInstanceOf(LockConfigurationError);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).toContain(name);
    }
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
  });

  it('is told all at once', async () => {
    const locks = await applications.open();
    const error = await refused(locks.acquire('a', { ttl: 'x', wait: 'y', renew: 0, signals: 1 } as never));
    const { problems } = error as LockConfigurationError;
    expect(problems.map(({ option }) => option).toSorted()).toEqual(['renew', 'signals', 'ttl', 'wait']);
  });

  it.each([[''], [undefined], [null], [5], [{}], [[]], [['a', '']], [['a', 5]], [[['a']]]])(
    'is told of %p as a name, by a rejection',
    async (name) => {
      const locks = await applications.open();
      for (const call of [
        () => locks.acquire(name as never),
        () => locks.tryAcquire(name as never),
        () => locks.using(name as never, () => 1),
      ]) {
        let pending: Promise<unknown> | undefined;
        expect(() => (pending = call())).not.toThrow();
        expect(await refused(pending!)).toBeInstanceOf(LockConfigurationError);
      }
      expect(() => locks.lock(name as never)).toThrow(LockConfigurationError);
      if (Array.isArray(name)) return;
      expect(() => locks.semaphore(name as never, 1)).toThrow(/name: .* is not a text/);
      expect(() => locks.readWrite(name as never)).toThrow(/name: .* is not a text/);
    },
  );

  it.each([0, -1, 1.5, '3', NaN, Infinity, undefined, 1_000_001])(
    'is told of %p permits',
    async (permits) => {
      const locks = await applications.open();
      expect(() => locks.semaphore('a', permits as never)).toThrow(LockConfigurationError);
      expect(() => locks.semaphore('a', permits as never)).toThrow(/permits: .* is not an integer of 1 to/);
    },
  );

  it('is told of a routine that is none, before anything is held', async () => {
    const locks = await applications.open();
    for (const call of [locks.using('a', {}, undefined as never), locks.using('a', {} as never)])
      await expect(call).rejects.toThrow(/routine: undefined is not a function to run under the lock/);
  });
});
