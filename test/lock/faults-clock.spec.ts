import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { ServedProcessGroup } from './fixtures/served-process-group.js';
import { LockProcess } from './fixtures/process-handle.js';
import { fencesOf, isRising, overlaps, readRecord } from './fixtures/record.js';

const TTL = 600;
const HOUR = 3_600_000;

const group = new ServedProcessGroup(1);

/** One process whose clock is right, one that is an hour late, and one that is an hour ahead. */
function openAll(): Promise<LockProcess[]> {
  const options = { ttl: TTL, wait: '20s' } as const;
  return Promise.all([
    group.open(group.server.options, options),
    group.open(group.server.options, options, new LockProcess(-HOUR)),
    group.open(group.server.options, options, new LockProcess(HOUR)),
  ]);
}

describe('processes whose clocks are an hour off', () => {
  it('wait in the order in which they come, hold for as long as they renew, and are let in when another has gone', async () => {
    const [right, late, early] = (await openAll()) as [LockProcess, LockProcess, LockProcess];
    const admin = await group.server.admin();
    for (const [holder, first, second] of [
      [right, early, late],
      [late, right, early],
      [early, late, right],
    ] as const) {
      const held = await holder.acquire('tour');
      const waiting = first.acquire('tour');
      await eventually(async () => (await admin.zcard('lock:{tour}:queue')) === 1);
      const last = second.acquire('tour');
      await eventually(async () => (await admin.zcard('lock:{tour}:queue')) === 2);
      await sleep(TTL * 1.5);
      expect(await held.look()).toMatchObject({ lost: undefined });
      expect(held.remainingAtServer).toBeLessThanOrEqual(TTL);
      expect(await held.release()).toBe('released');
      const next = await waiting;
      expect(next.fence).toBeGreaterThan(held.fence);
      expect(await next.release()).toBe('released');
      expect(await (await last).release()).toBe('released');
    }
    const entries = await readRecord(group.record, 'tour');
    expect(overlaps(entries)).toEqual([]);
    expect(isRising(fencesOf(entries))).toBe(true);
  });

  it('never overlap under load', async () => {
    const processes = await openAll();
    const work = { resource: 'tour', workers: 5, held: 2, think: 5, duration: 2_000, options: {} };
    const worked = await Promise.all(processes.map((each) => each.work(work)));
    for (const { outcomes } of worked) expect(Object.keys(outcomes)).toEqual(['released']);
    const entries = await readRecord(group.record, 'tour');
    expect(overlaps(entries)).toEqual([]);
    expect(isRising(fencesOf(entries))).toBe(true);
    expect(entries.every(({ accepted }) => accepted)).toBe(true);
  });
});
