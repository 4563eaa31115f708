import { describe, expect, it } from '@jest/globals';
import { ServedProcessGroup } from './fixtures/served-process-group.js';
import type { LockProcess } from './fixtures/process-handle.js';
import { fencesOf, isRising, overlaps, readRecord } from './fixtures/record.js';

const group = new ServedProcessGroup(3);

async function openAll(ttl: number): Promise<LockProcess[]> {
  return group.serve(3, { ttl });
}

describe('those whose wait is over just when they are let in', () => {
  // The shorter one is polled for and renewed all the time.
  it.each([10_000, 600])('leave nothing behind, and nobody is in twice, with a ttl of %d ms', async (ttl) => {
    const processes = await openAll(ttl);
    // About as long as a turn of all of them takes.
    const waits = [10, 40, 90] as const;
    const worked = await Promise.all(
      processes.map((each, index) =>
        each.work({
          resource: 'tour',
          workers: 6,
          held: 3,
          think: 2,
          duration: 3_000,
          options: { wait: waits[index]! },
        }),
      ),
    );
    const counts: Record<string, number> = {};
    for (const { outcomes } of worked)
      for (const [outcome, count] of Object.entries(outcomes))
        counts[outcome] = (counts[outcome] ?? 0) + count;
    expect(Object.keys(counts).toSorted()).toEqual(['LOCK_TIMEOUT', 'released']);
    const entries = await readRecord(group.record, 'tour');
    expect(overlaps(entries)).toEqual([]);
    expect(isRising(fencesOf(entries))).toBe(true);
    expect(entries.every(({ accepted }) => accepted)).toBe(true);
    const last = await processes[0]!.acquire('tour', { wait: 0 });
    expect(await last.release()).toBe('released');
    const admin = await group.server.admin();
    expect(await admin.keys('*')).toEqual(['lock:{tour}']);
    expect(await admin.hkeys('lock:{tour}')).toEqual(['fence']);
    for (const each of processes) expect(await each.stats()).toEqual({ held: 0, waiting: 0 });
  });
});
