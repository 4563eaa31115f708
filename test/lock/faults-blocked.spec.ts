import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { ServedProcessGroup } from './fixtures/served-process-group.js';
import type { LockProcess, RemoteLease } from './fixtures/process-handle.js';

const TTL = 600;

const group = new ServedProcessGroup(3, { ttl: TTL, wait: '20s' });

/** Has it wait. */
async function join(waiter: LockProcess): Promise<Promise<RemoteLease>[]> {
  const admin = await group.server.admin();
  const before = await admin.zcard('lock:{tour}:queue');
  const lease = waiter.acquire('tour');
  lease.catch(() => undefined);
  await eventually(async () => (await admin.zcard('lock:{tour}:queue')) > before);
  // A promise of a promise would be waited for.
  return [lease];
}

describe('a process whose event loop is kept busy for longer than the ttl', () => {
  /** The request is on its way, and its answer comes while nobody reads it. */
  async function acquireBlocked(busy: LockProcess, duration: number): Promise<Promise<RemoteLease>[]> {
    group.server.pause();
    const lease = busy.acquireBlocked('tour', {}, { turns: 5, duration });
    lease.catch(() => undefined);
    await sleep(150);
    group.server.resume();
    return [lease];
  }

  it.each([1.5, 2.5])(
    'right after it has asked for a free resource, %d times as long, has it when it is told so',
    async (times) => {
      const [busy] = (await group.serve(1)) as [LockProcess];
      const [acquiring] = await acquireBlocked(busy, TTL * times);
      const lease = await acquiring!;
      expect(lease.remaining).toBeGreaterThanOrEqual(TTL * 0.45);
      expect(lease.remainingAtServer).toBeGreaterThan(0);
      expect(await lease.write()).toBe(true);
      expect((await lease.look()).lost).toBeUndefined();
    },
  );

  it('right after it has asked, and before it is sent, has it when it is told so', async () => {
    const [busy] = (await group.serve(1)) as [LockProcess];
    const lease = await busy.acquireBlocked('tour', {}, { turns: 0, duration: TTL * 1.5 });
    expect(lease.remaining).toBeGreaterThanOrEqual(TTL * 0.45);
    expect(lease.remainingAtServer).toBeGreaterThan(0);
    expect(await lease.write()).toBe(true);
  });

  it('right after it has asked, and loses it to another meanwhile, waits for it anew', async () => {
    const [busy, other] = (await group.serve(2)) as [LockProcess, LockProcess];
    const [acquiring] = await acquireBlocked(busy, TTL * 2.5);
    const next = await other.acquire('tour');
    let isIn = false;
    void acquiring!.then(() => (isIn = true));
    await sleep(TTL * 2.5);
    expect(isIn).toBe(false);
    expect(await next.write()).toBe(true);
    expect(await next.release()).toBe('released');
    const lease = await acquiring!;
    expect(lease.fence).toBeGreaterThan(next.fence);
    expect(lease.remainingAtServer).toBeGreaterThan(0);
    expect(await lease.write()).toBe(true);
  });

  it('while it is let in, the push unread, has the resource when it is told so', async () => {
    const [holder, busy] = (await group.serve(2)) as [LockProcess, LockProcess];
    const held = await holder.acquire('tour');
    const [acquiring] = await join(busy);
    const blocked = busy.block(TTL * 2);
    await sleep(50);
    expect(await held.release()).toBe('released');
    const lease = await acquiring!;
    await blocked;
    expect(lease.fence).toBeGreaterThan(held.fence);
    expect(lease.remaining).toBeGreaterThanOrEqual(TTL * 0.45);
    expect(lease.remainingAtServer).toBeGreaterThan(0);
    expect(await lease.write()).toBe(true);
  });

  it('while it is let in, the push unread, waits anew if another has been let in since', async () => {
    const [holder, busy, other] = (await group.serve(3)) as [LockProcess, LockProcess, LockProcess];
    const held = await holder.acquire('tour');
    const [acquiring] = await join(busy);
    const [waiting] = await join(other);
    void busy.block(TTL * 3);
    await sleep(50);
    expect(await held.release()).toBe('released');
    const next = await waiting!;
    let isIn = false;
    void acquiring!.then(() => (isIn = true));
    await sleep(TTL * 3);
    expect(isIn).toBe(false);
    expect(await next.write()).toBe(true);
    expect(await next.release()).toBe('released');
    const lease = await acquiring!;
    expect(lease.fence).toBeGreaterThan(next.fence);
    expect(lease.remainingAtServer).toBeGreaterThan(0);
    expect(await lease.write()).toBe(true);
  });

  it('while it holds the resource knows that it is lost before it does anything else', async () => {
    const [busy] = (await group.serve(1)) as [LockProcess];
    const lease = await busy.acquire('tour');
    const blocked = busy.block(TTL * 2);
    // Read in the turn after the long one.
    const look = lease.look();
    await blocked;
    expect(await look).toMatchObject({ remaining: 0, lost: 'expired', aborted: { code: 'LOCK_LOST' } });
    expect(await lease.release()).toBe('lost');
  });
});
