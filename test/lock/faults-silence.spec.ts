import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FaultProxy, startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { ProcessGroup } from './fixtures/process-group.js';
import type { LockProcess } from './fixtures/process-handle.js';

const TTL = 800;
const TIMEOUT = 300;

/** What a busy machine may add, in milliseconds. */
const MARGIN = 1_500;

const group = new ProcessGroup(2);

let server: RedisServer;
let proxy: FaultProxy;
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(async () => {
  proxy = await FaultProxy.start(server);
});
afterEach(async () => {
  await proxy.stop();
  await (await server.admin()).flushall();
});
afterAll(() => server.stop());

const options = { ttl: TTL, wait: 500, timeout: TIMEOUT } as const;

/** One that reaches Redis by the proxy, and one that reaches it always. */
async function openBoth(): Promise<[cut: LockProcess, other: LockProcess]> {
  const redis = { ...proxy.optionsFor(server.options), shutdownTimeout: 500 };
  return Promise.all([group.open(redis, options), group.open(server.options, options)]);
}

/** What was lost stays lost: the connections are made anew. */
async function restore(): Promise<void> {
  await proxy.restore();
  proxy.cut();
}

describe.each([
  ['requests', 'up'],
  ['replies', 'down'],
] as const)('where all %s vanish', (_, direction) => {
  it('an acquisition fails within its wait and a command, and what it may have left behind within the ttl', async () => {
    const [cut, other] = await openBoth();
    proxy.swallow(direction);
    const from = performance.now();
    await expect(cut.acquire('tour')).rejects.toMatchObject({
      code: 'LOCK_UNAVAILABLE',
      causeCode: 'REDIS_TIMEOUT',
    });
    expect(performance.now() - from).toBeLessThan(500 + TIMEOUT + MARGIN);
    const lease = await other.acquire('tour', { wait: TTL + MARGIN });
    expect(await lease.write()).toBe(true);
    expect(await lease.release()).toBe('released');
    await restore();
    expect(await (await cut.acquire('tour', { wait: '10s' })).release()).toBe('released');
  });

  it('an acquisition is not in its own way when Redis is back', async () => {
    const [cut] = await openBoth();
    proxy.swallow(direction);
    const acquiring = cut.acquire('tour', { wait: '10s', ttl: '1m' });
    await sleep(TIMEOUT * 1.5);
    await restore();
    const from = performance.now();
    const lease = await acquiring;
    // Its first request may have been granted for a minute.
    expect(performance.now() - from).toBeLessThan(6_000);
    expect(lease.remainingAtServer).toBeGreaterThan(30_000);
    expect(await lease.write()).toBe(true);
    expect(await lease.release()).toBe('released');
  });

  it('a lease that is not renewed is lost at its deadline, and before another has it', async () => {
    const [cut, other] = await openBoth();
    const held = await cut.acquire('tour');
    await sleep(TTL);
    proxy.swallow(direction);
    const from = performance.now();
    const next = await other.acquire('tour', { wait: 4 * TTL + MARGIN });
    // Another has it after the ttl has passed, where renewals still arrive after some more of them; by then it was told.
    const { aborted, lost, remaining } = await held.look();
    expect({ aborted, lost, remaining }).toMatchObject({
      aborted: { code: 'LOCK_LOST', reason: 'expired' },
      lost: 'expired',
      remaining: 0,
    });
    expect(performance.now() - from).toBeLessThan(4 * TTL + MARGIN);
    expect(await next.write()).toBe(true);
    expect(await held.write()).toBe(false);
    expect(await held.release()).toBe('lost');
    await restore();
    // Nothing that was on its way takes it from the other.
    await sleep(TIMEOUT);
    expect(await next.extend()).toBeGreaterThan(0);
    expect(await next.release()).toBe('released');
    expect(await (await cut.acquire('tour', { wait: '10s' })).release()).toBe('released');
  });

  it('the signal of a lease is aborted at its deadline also where nobody else is there', async () => {
    const [cut] = await openBoth();
    const held = await cut.acquire('tour');
    proxy.swallow(direction);
    const { aborted } = await eventually(async () => {
      const look = await held.look();
      return look.aborted ? look : false;
    });
    expect(aborted).toMatchObject({ code: 'LOCK_LOST', reason: 'expired' });
    // One renewal may have been answered before.
    expect(aborted!.after).toBeLessThan(2 * TTL + MARGIN);
  });

  it('a release says that it is not confirmed, and the resource is free within the ttl', async () => {
    const [cut, other] = await openBoth();
    const held = await cut.acquire('tour');
    proxy.swallow(direction);
    const from = performance.now();
    expect(await held.release()).toBe('unconfirmed');
    expect(performance.now() - from).toBeLessThan(TIMEOUT + MARGIN);
    const next = await other.acquire('tour', { wait: TTL + MARGIN });
    expect(next.fence).toBeGreaterThan(held.fence);
    expect(await next.write()).toBe(true);
    expect(await next.release()).toBe('released');
  });

  it('one that waits is passed over, gets a place when it is back, and times out in between', async () => {
    const [cut, other] = await openBoth();
    const held = await other.acquire('tour');
    const late = cut.acquire('tour', { wait: '10s' });
    const early = cut.acquire('tour', { wait: TTL });
    early.catch(() => undefined);
    const admin = await server.admin();
    await eventually(async () => (await admin.zcard('lock:{tour}:queue')) === 2);
    proxy.swallow(direction);
    await expect(early).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    expect(await held.release()).toBe('released');
    // Those that are cut off are let in first, one after the other, for their term; or have not told for too long that they wait.
    const next = await other.acquire('tour', { wait: '10s' });
    expect(await next.write()).toBe(true);
    await restore();
    await sleep(TIMEOUT);
    expect(await next.write()).toBe(true);
    expect(await next.release()).toBe('released');
    const last = await late;
    expect(last.remainingAtServer).toBeGreaterThan(0);
    expect(await last.write()).toBe(true);
  });
});
