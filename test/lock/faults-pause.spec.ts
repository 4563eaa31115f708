import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Duration } from 'rednest';
import { eventually } from '../support/eventually.js';
import { ServedProcessGroup } from './fixtures/served-process-group.js';
import type { LockProcess, RemoteLease } from './fixtures/process-handle.js';
import { readRecord } from './fixtures/record.js';

const TTL = 600;

/** What a busy machine may add, in milliseconds. */
const MARGIN = 1_500;

const group = new ServedProcessGroup(3, { ttl: TTL, wait: '20s' });

/** Has it wait. */
async function join(waiter: LockProcess, wait: Duration = '20s'): Promise<Promise<RemoteLease>[]> {
  const admin = await group.server.admin();
  const before = await admin.zcard('lock:{tour}:queue');
  const lease = waiter.acquire('tour', { wait });
  lease.catch(() => undefined);
  await eventually(async () => (await admin.zcard('lock:{tour}:queue')) > before);
  // A promise of a promise would be waited for.
  return [lease];
}

/** What the record says of each write. */
async function writes(): Promise<(readonly [fence: number, accepted: boolean])[]> {
  const entries = await readRecord(group.record, 'tour');
  return entries.filter(({ deed }) => deed === 'write').map(({ fence, accepted }) => [fence, accepted]);
}

describe('a process that is stopped for three ttls', () => {
  it('while it holds the resource loses it to another, is told so when it goes on, and can do no harm', async () => {
    const [holder, other] = (await group.serve(2)) as [LockProcess, LockProcess];
    const old = await holder.acquire('tour');
    expect(await old.write()).toBe(true);
    holder.signal('SIGSTOP');
    const from = performance.now();
    const next = await other.acquire('tour');
    expect(performance.now() - from).toBeLessThan(TTL + MARGIN);
    expect(next.fence).toBeGreaterThan(old.fence);
    expect(await next.write()).toBe(true);
    await sleep(Math.max(0, 3 * TTL - (performance.now() - from)));
    holder.signal('SIGCONT');
    // As the first thing that it does.
    expect(await old.write()).toBe(false);
    const { lost, aborted, remaining } = await eventually(async () => {
      const look = await old.look();
      return look.aborted ? look : false;
    });
    expect({ lost, remaining }).toEqual({ lost: expect.stringMatching(/^(expired|taken)$/), remaining: 0 });
    expect(aborted).toMatchObject({ code: 'LOCK_LOST', reason: lost });
    await expect(old.extend()).rejects.toMatchObject({ code: 'LOCK_LOST' });
    expect(await old.release()).toBe('lost');
    // Nothing that it did when it went on has taken the resource from the other.
    expect(await next.extend()).toBeGreaterThan(0);
    expect(await next.write()).toBe(true);
    expect(await next.release()).toBe('released');
    expect(await writes()).toEqual([
      [old.fence, true],
      [next.fence, true],
      [old.fence, false],
      [next.fence, true],
    ]);
  });

  it('while it waits first is passed over after its term, and has the resource only when it gets it anew', async () => {
    const [holder, stopped, other] = (await group.serve(3)) as [LockProcess, LockProcess, LockProcess];
    const held = await holder.acquire('tour');
    const [late] = await join(stopped);
    const [waiting] = await join(other);
    stopped.signal('SIGSTOP');
    const from = performance.now();
    expect(await held.release()).toBe('released');
    const next = await waiting!;
    expect(performance.now() - from).toBeLessThan(TTL + MARGIN);
    await sleep(Math.max(0, 3 * TTL - (performance.now() - from)));
    stopped.signal('SIGCONT');
    let isIn = false;
    void late!.then(() => (isIn = true));
    // It would be in by now if it believed the push.
    await sleep(TTL);
    expect(isIn).toBe(false);
    expect(await next.write()).toBe(true);
    expect(await next.release()).toBe('released');
    const last = await late!;
    expect(last.fence).toBeGreaterThan(next.fence);
    expect(last.remainingAtServer).toBeGreaterThan(0);
    expect(await last.write()).toBe(true);
  });

  it('while it waits first is told that its time is over when it goes on', async () => {
    const [holder, stopped, other] = (await group.serve(3)) as [LockProcess, LockProcess, LockProcess];
    const held = await holder.acquire('tour');
    const [late] = await join(stopped, 2 * TTL);
    const [waiting] = await join(other);
    stopped.signal('SIGSTOP');
    expect(await held.release()).toBe('released');
    const next = await waiting!;
    await sleep(3 * TTL);
    stopped.signal('SIGCONT');
    await expect(late).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    expect(await next.write()).toBe(true);
    expect(await next.release()).toBe('released');
    // It has left the queue, too.
    expect(await (await group.server.admin()).zcard('lock:{tour}:queue')).toBe(0);
    expect(await (await holder.acquire('tour', { wait: 0 })).release()).toBe('released');
  });
});
