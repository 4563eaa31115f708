import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LockConfigurationError, LockLostError, LockUnavailableError } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Applications, refused } from './fixtures/model-applications.js';

const applications = new Applications();

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
    applications.server.pause();
    try {
      await expect(lease.extend('300ms')).rejects.toThrow(LockUnavailableError);
      expect(lease.remaining).toBeLessThanOrEqual(300);
    } finally {
      applications.server.resume();
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
    await applications.take(name);
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
