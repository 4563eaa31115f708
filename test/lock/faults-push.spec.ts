import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FaultProxy, startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { ProcessGroup } from './fixtures/process-group.js';
import type { LockProcess } from './fixtures/process-handle.js';
import { fencesOf, isRising, overlaps, readRecord } from './fixtures/record.js';

const TTL = 900;

const group = new ProcessGroup(3);

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
  await (await group.record.admin()).flushall();
});
afterAll(() => server.stop());

const options = { ttl: TTL, wait: '20s' } as const;

/** One whose pushes can be held up, and others. It has waited before, so that it listens. */
async function openAll(): Promise<[slow: LockProcess, holder: LockProcess, other: LockProcess]> {
  const [slow, holder, other] = await Promise.all([
    group.open(proxy.optionsFor(server.options), options),
    group.open(server.options, options),
    group.open(server.options, options),
  ]);
  const held = await holder.acquire('bus');
  const waiting = slow.acquire('bus');
  await eventually(async () => (await (await server.admin()).zcard('lock:{bus}:queue')) === 1);
  expect(await held.release()).toBe('released');
  expect(await (await waiting).release()).toBe('released');
  return [slow, holder, other];
}

async function queued(count: number): Promise<void> {
  const admin = await server.admin();
  await eventually(async () => (await admin.zcard('lock:{tour}:queue')) === count);
}

describe('a push', () => {
  it('that overtakes the reply to who joins the queue lets it in all the same, before who came later', async () => {
    const [slow, holder, other] = await openAll();
    const held = await holder.acquire('tour', { ttl: '1m' });
    // Only the reply is on its way for so long: what comes after it by another connection is not.
    proxy.delay(300, 'down');
    const first = slow.acquire('tour', { ttl: '10s' });
    await queued(1);
    proxy.delay(0);
    const second = other.acquire('tour');
    await queued(2);
    expect(await held.release()).toBe('released');
    const lease = await first;
    expect(lease.remainingAtServer).toBeGreaterThan(0);
    expect(await lease.release()).toBe('released');
    expect((await second).fence).toBeGreaterThan(lease.fence);
  });

  it('that comes long after it was sent is not believed', async () => {
    const [slow, holder, other] = await openAll();
    const held = await holder.acquire('tour');
    const late = slow.acquire('tour');
    await queued(1);
    const waiting = other.acquire('tour');
    await queued(2);
    slow.signal('SIGSTOP');
    proxy.delay(4 * TTL, 'down');
    expect(await held.release()).toBe('released');
    await sleep(50);
    proxy.delay(0);
    const next = await waiting;
    slow.signal('SIGCONT');
    // It is in the queue again, and the push arrives while the other goes on holding the resource.
    await queued(1);
    let isIn = false;
    void late.then(() => (isIn = true));
    await sleep(4 * TTL);
    expect(isIn).toBe(false);
    expect(await next.write()).toBe(true);
    expect(await next.release()).toBe('released');
    expect(await (await late).write()).toBe(true);
    const entries = await readRecord(group.record, 'tour');
    expect(overlaps(entries)).toEqual([]);
    expect(isRising(fencesOf(entries))).toBe(true);
  });
});
