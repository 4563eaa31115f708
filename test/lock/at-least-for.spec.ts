import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { FaultProxy } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Applications } from './fixtures/model-applications.js';

const applications = new Applications();

describe('atLeastFor', () => {
  it('is kept where Redis was away when it was released', async () => {
    await using proxy = await FaultProxy.start(applications.server);
    const redis = proxy.optionsFor(applications.server.options);
    const { app, locks } = await applications.start({ timeout: '150ms' }, redis);
    const other = await applications.open();
    const name = applications.name();
    const lease = await locks.acquire(name, { ttl: '1500ms', atLeastFor: '4s' });
    const since = performance.now();
    proxy.swallow('up');
    expect(await lease.release()).toBe('unconfirmed');
    await proxy.restore();
    proxy.cut();
    await sleep(since + 2_000 - performance.now());
    expect(await other.tryAcquire(name)).toBeUndefined();
    await (await other.acquire(name)).release();
    expect(performance.now() - since).toBeGreaterThan(3_900);
    await app.close();
  });

  it('is no longer than asked for where Redis was away when it was released', async () => {
    await using proxy = await FaultProxy.start(applications.server);
    const redis = proxy.optionsFor(applications.server.options);
    const { app, locks } = await applications.start({ timeout: '100ms' }, redis);
    const other = await applications.open();
    const name = applications.name();
    const lease = await locks.acquire(name, { ttl: '1m', atLeastFor: '600ms' });
    proxy.swallow('up');
    expect(await lease.release()).toBe('unconfirmed');
    await sleep(700);
    await proxy.restore();
    proxy.cut();
    await (await other.acquire(name)).release();
    await app.close();
  });

  it.each(['release', 'expire'] as const)(
    'outlives an application that shuts down (onShutdown: %p)',
    async (onShutdown) => {
      const { app, locks } = await applications.start({ onShutdown });
      const other = await applications.open();
      const name = applications.name();
      const lease = await locks.acquire(name, { ttl: '500ms', atLeastFor: '1500ms' });
      const since = performance.now();
      await app.close();
      expect(await lease.release()).toBe('lost');
      await (await other.acquire(name)).release();
      expect(performance.now() - since).toBeGreaterThan(1_400);
    },
  );

  it('holds for the others of several, where one was lost', async () => {
    const [locks, other] = await applications.openMany(2);
    const [lost, kept] = [applications.name(), applications.name()];
    const lease = await locks!.acquire([lost, kept], { ttl: '600ms', atLeastFor: '30s' });
    await applications.take(lost);
    await eventually(() => lease.lost?.reason === 'taken');
    await sleep(1_000);
    expect(await other!.tryAcquire(kept)).toBeUndefined();
    expect(await lease.release()).toBe('lost');
    await sleep(100);
    expect(await other!.tryAcquire(kept)).toBeUndefined();
  });
});
