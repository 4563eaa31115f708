import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { killClients } from '../support/server-view.js';
import { ServedProcessGroup } from './fixtures/served-process-group.js';
import type { LockProcess, RemoteLease } from './fixtures/process-handle.js';
import { fencesOf, isRising, overlaps, readRecord } from './fixtures/record.js';

const TTL = 900;

/** What a busy machine may add, in milliseconds. */
const MARGIN = 1_500;

const SUBSCRIBERS = 'rednest:default:subscriber';
const CLIENTS = 'rednest:default';

const group = new ServedProcessGroup(3, { ttl: TTL, wait: '20s' });

/** Has processes wait one after the other. */
async function join(waiters: readonly LockProcess[]): Promise<Promise<RemoteLease>[]> {
  const admin = await group.server.admin();
  const acquiring: Promise<RemoteLease>[] = [];
  for (const waiter of waiters) {
    const before = await admin.zcard('lock:{tour}:queue');
    const lease = waiter.acquire('tour');
    lease.catch(() => undefined);
    acquiring.push(lease);
    await eventually(async () => (await admin.zcard('lock:{tour}:queue')) > before);
  }
  return acquiring;
}

const both = async (): Promise<number> =>
  (await killClients(group.server, SUBSCRIBERS)) + (await killClients(group.server, CLIENTS));

const cuts: [string, () => Promise<number>][] = [
  ['of pushes', () => killClients(group.server, SUBSCRIBERS)],
  ['of commands', () => killClients(group.server, CLIENTS)],
  ['both', both],
];

describe.each(cuts)('when connections are cut, %s,', (_, cut) => {
  it('those who wait are let in all the same, soon and in their order', async () => {
    const [holder, first, second] = (await group.serve(3)) as [LockProcess, LockProcess, LockProcess];
    const held = await holder.acquire('tour');
    const waiting = await join([first, second, first]);
    expect(await cut()).toBeGreaterThan(1);
    await sleep(TTL);
    const from = performance.now();
    expect(await held.release()).toBe('released');
    const fences = [held.fence];
    for (const each of waiting) {
      const lease = await each;
      fences.push(lease.fence);
      expect(await lease.release()).toBe('released');
    }
    expect(performance.now() - from).toBeLessThan(TTL + MARGIN);
    expect(isRising(fences)).toBe(true);
  });

  it('in the moment in which the resource is released, nobody is forgotten', async () => {
    const [holder, first, second] = (await group.serve(3)) as [LockProcess, LockProcess, LockProcess];
    const held = await holder.acquire('tour');
    const waiting = await join([first, second]);
    const cutting = cut();
    const outcome = await held.release();
    await cutting;
    // Where the connection was cut before the answer.
    expect(['released', 'unconfirmed']).toContain(outcome);
    const from = performance.now();
    const goThrough = async (each: Promise<RemoteLease>): Promise<unknown> => (await each).release();
    await Promise.all(waiting.map(goThrough));
    // A push that was lost costs a term, an unconfirmed release the ttl.
    expect(performance.now() - from).toBeLessThan(2 * TTL + MARGIN);
    expect(overlaps(await readRecord(group.record, 'tour'))).toEqual([]);
  });

  it('again and again under load, nobody overlaps, and all are let in', async () => {
    const processes = await group.serve(3);
    const work = { resource: 'tour', workers: 4, held: 5, think: 5, duration: 2_500, options: {} };
    const working = Promise.all(processes.map((each) => each.work(work)));
    for (let cutting = 0; cutting < 4; cutting++) {
      await sleep(500);
      await cut();
    }
    const worked = await working;
    const counts: Record<string, number> = {};
    for (const { outcomes } of worked)
      for (const [outcome, count] of Object.entries(outcomes))
        counts[outcome] = (counts[outcome] ?? 0) + count;
    expect(Object.keys(counts).filter((each) => !['released', 'unconfirmed'].includes(each))).toEqual([]);
    expect(counts['unconfirmed'] ?? 0).toBeLessThanOrEqual(4);
    const entries = await readRecord(group.record, 'tour');
    expect(overlaps(entries)).toEqual([]);
    expect(isRising(fencesOf(entries))).toBe(true);
    expect(entries.every(({ accepted }) => accepted)).toBe(true);
  });
});
