import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { ServedProcessGroup } from './fixtures/served-process-group.js';
import type { LockProcess, RemoteLease } from './fixtures/process-handle.js';
import { fencesOf, isRising, overlaps, readRecord } from './fixtures/record.js';

const TTL = 600;

/** What a busy machine may add, in milliseconds. */
const MARGIN = 1_500;

const group = new ServedProcessGroup(4, { ttl: TTL, wait: '20s' });

async function queued(): Promise<number> {
  return (await group.server.admin()).zcard('lock:{tour}:queue');
}

/** Waits until the server knows that a process is gone. */
async function unsubscribed({ name }: LockProcess): Promise<void> {
  const admin = await group.server.admin();
  await eventually(async () => {
    const channels = (await admin.pubsub('CHANNELS', 'lock:wake:*')) as string[];
    return !channels.some((channel) => channel.includes(`-${name}:`));
  });
}

/** Has processes wait one after the other. */
async function join(waiters: readonly LockProcess[]): Promise<Promise<RemoteLease>[]> {
  const acquiring: Promise<RemoteLease>[] = [];
  for (const waiter of waiters) {
    const before = await queued();
    const lease = waiter.acquire('tour');
    // It may be killed before it is awaited.
    lease.catch(() => undefined);
    acquiring.push(lease);
    await eventually(async () => (await queued()) > before);
  }
  return acquiring;
}

describe('a process that is killed', () => {
  it('while it holds the resource keeps it for no longer than its ttl', async () => {
    const [holder, waiter] = (await group.serve(2)) as [LockProcess, LockProcess];
    const held = await holder.acquire('tour');
    const [waiting] = await join([waiter]);
    // Longer than its ttl: it is renewed until the process is killed.
    await sleep(TTL * 1.5);
    expect(await held.write()).toBe(true);
    await group.kill(holder);
    const from = performance.now();
    const next = await waiting!;
    expect(performance.now() - from).toBeLessThan(TTL + MARGIN);
    expect(next.fence).toBeGreaterThan(held.fence);
    expect(next.remainingAtServer).toBeGreaterThan(0);
    expect(await next.write()).toBe(true);
  });

  it('while it waits first, several times, is passed over at once', async () => {
    const [holder, dying, waiter] = (await group.serve(3)) as [LockProcess, LockProcess, LockProcess];
    const held = await holder.acquire('tour');
    const waiting = await join([dying, dying, dying, waiter, dying]);
    await group.kill(dying);
    await unsubscribed(dying);
    const from = performance.now();
    expect(await held.release()).toBe('released');
    const next = await waiting[3]!;
    // Well below the term, after which one that does not answer is passed over.
    expect(performance.now() - from).toBeLessThan(TTL);
    expect(next.fence).toBeGreaterThan(held.fence);
    expect(await next.release()).toBe('released');
    // What the dead left behind keeps nobody out.
    expect(await (await waiter.acquire('tour', { wait: 0 })).write()).toBe(true);
  });

  it('while it holds the resource and waits for it leaves the queue to the others, in their order', async () => {
    const [dying, first, second] = (await group.serve(3)) as [LockProcess, LockProcess, LockProcess];
    const held = await dying.acquire('tour');
    const waiting = await join([dying, first, dying, second, dying]);
    await group.kill(dying);
    const from = performance.now();
    const next = await waiting[1]!;
    expect(performance.now() - from).toBeLessThan(TTL + MARGIN);
    expect(await next.release()).toBe('released');
    const last = await waiting[3]!;
    expect(isRising([held.fence, next.fence, last.fence])).toBe(true);
    expect(await last.release()).toBe('released');
  });

  it('at any moment does no harm: nobody overlaps, fences rise, and who lives has all writes accepted', async () => {
    const processes = await group.serve(4);
    const work = { resource: 'tour', workers: 4, held: 5, think: 5, duration: 4_000, options: {} };
    const working = processes.map((each) => each.work(work));
    for (const each of working) each.catch(() => undefined);
    const gone: string[] = [];
    for (const dying of processes.slice(1)) {
      await sleep(900);
      gone.push(dying.name);
      await group.kill(dying);
    }
    const { waits, outcomes } = await working[0]!;
    expect(processes[0]!.output).toBe('');
    expect(Object.keys(outcomes)).toEqual(['released']);
    expect(Math.max(...waits)).toBeLessThan(2 * TTL + MARGIN);
    const entries = await readRecord(group.record, 'tour');
    expect(overlaps(entries, gone)).toEqual([]);
    expect(isRising(fencesOf(entries))).toBe(true);
    // A process may be killed while what it wrote is on its way.
    const refused = entries.filter(({ accepted }) => !accepted);
    expect(refused.filter(({ who }) => !gone.includes(who.split('.')[0]!))).toEqual([]);
    expect(new Set(entries.map(({ who }) => who.split('.')[0])).size).toBe(4);
  });
});
