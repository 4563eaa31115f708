import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LockUnavailableError } from 'rednest';
import { FaultProxy } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Applications } from './fixtures/model-applications.js';

const applications = new Applications();

/** Its `timeout` is longer than the leases. */
async function openByProxy(proxy: FaultProxy, timeout: number) {
  const redis = proxy.optionsFor(applications.server.options);
  return applications.start({ timeout }, { ...redis, shutdownTimeout: 300 });
}

describe('a renewal', () => {
  it('whose answer does not come is sent again before the lease is over', async () => {
    await using proxy = await FaultProxy.start(applications.server);
    const { app, locks } = await openByProxy(proxy, 5_000);
    const lease = await locks.acquire(applications.name(), { ttl: '1500ms' });
    proxy.swallow('up');
    await eventually(() => proxy.bytes.swallowed.up > 0);
    await proxy.restore();
    await sleep(2_000);
    expect(lease.lost).toBeUndefined();
    await app.close();
  });

  it('counts also where its answer comes after it was sent again', async () => {
    await using proxy = await FaultProxy.start(applications.server);
    const { app, locks } = await openByProxy(proxy, 5_000);
    const lease = await locks.acquire(applications.name(), { ttl: '1500ms' });
    proxy.delay(450, 'down');
    await sleep(3_000);
    expect(lease.lost).toBeUndefined();
    proxy.delay(0, 'down');
    await app.close();
  });
});

describe('an extension that fails', () => {
  it('does not make a lease one that is renewed', async () => {
    const locks = await applications.open({ timeout: '100ms' });
    const lease = await locks.acquire(applications.name(), { ttl: '1500ms', renew: false });
    applications.server.pause();
    try {
      await expect(lease.extend('1m')).rejects.toThrow(LockUnavailableError);
    } finally {
      applications.server.resume();
    }
    await eventually(() => lease.lost !== undefined);
    expect(lease.lost).toMatchObject({ reason: 'expired' });
  });

  it('leaves the ttl as it was', async () => {
    await using proxy = await FaultProxy.start(applications.server);
    const { app, locks } = await openByProxy(proxy, 150);
    const lease = await locks.acquire(applications.name(), { ttl: '2s' });
    proxy.swallow('up');
    await expect(lease.extend('1m')).rejects.toThrow(LockUnavailableError);
    await proxy.restore();
    proxy.cut();
    await eventually(async () => (await lease.extend()) > 1_500);
    expect(lease.remaining).toBeLessThanOrEqual(2_000);
    expect(await lease.extend('1m')).toBeGreaterThan(50_000);
    expect(await lease.extend()).toBeGreaterThan(50_000);
    await app.close();
  });
});
