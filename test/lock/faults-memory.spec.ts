import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { ProcessGroup } from './fixtures/process-group.js';
import type { LockProcess } from './fixtures/process-handle.js';
import { isRising, overlaps, readRecord } from './fixtures/record.js';

const TTL = 900;

const group = new ProcessGroup(2);

let server: RedisServer;
beforeEach(async () => {
  server = await startRedis({ config: { 'maxmemory-policy': 'noeviction' } });
});
afterEach(async () => {
  await server.stop();
  await (await group.record.admin()).flushall();
});

function openAll(): Promise<LockProcess[]> {
  return group.openAll(2, server.options, { ttl: TTL, wait: '20s' });
}

async function fill(): Promise<void> {
  await (await server.admin()).config('SET', 'maxmemory', '1');
}

async function free(): Promise<void> {
  await (await server.admin()).config('SET', 'maxmemory', '0');
}

describe('where the memory of Redis is full', () => {
  it('an acquisition says so', async () => {
    const [one] = (await openAll()) as [LockProcess];
    await fill();
    const acquiring = one.acquire('tour');
    await expect(acquiring).rejects.toMatchObject({
      code: 'LOCK_UNAVAILABLE',
      causeCode: 'REDIS_OUT_OF_MEMORY',
    });
    await free();
    expect(await (await one.acquire('tour')).write()).toBe(true);
  });

  it('a lease can be released, and whoever comes when there is memory again has the resource', async () => {
    const [holder, other] = (await openAll()) as [LockProcess, LockProcess];
    const held = await holder.acquire('tour');
    await fill();
    expect(await held.release()).toBe('released');
    expect(await (await server.admin()).hkeys('lock:{tour}')).toEqual(['fence']);
    await free();
    const next = await other.acquire('tour', { wait: 0 });
    expect(next.fence).toBeGreaterThan(held.fence);
  });

  it('a lease is renewed or lost, and nothing in between', async () => {
    const [holder] = (await openAll()) as [LockProcess];
    const held = await holder.acquire('tour');
    await fill();
    const { aborted } = await eventually(async () => {
      const look = await held.look();
      return look.aborted ? look : false;
    });
    expect(aborted).toMatchObject({ code: 'LOCK_LOST', reason: 'expired' });
    await free();
  });

  it.each([0, TTL * 2])(
    'those who wait are let in, and out again, although it is full for %d ms',
    async (duration) => {
      const [holder, other] = (await openAll()) as [LockProcess, LockProcess];
      const held = await holder.acquire('tour');
      const admin = await server.admin();
      const throughs: Promise<readonly [fence: number, accepted: boolean, outcome: string]>[] = [];
      const goThrough = async (queued: number): Promise<void> => {
        const acquiring = other.acquire('tour');
        await eventually(async () => (await admin.zcard('lock:{tour}:queue')) === queued);
        throughs.push(
          acquiring.then(async (lease) => [lease.fence, await lease.write(), await lease.release()] as const),
        );
      };
      await goThrough(1);
      await goThrough(2);
      await fill();
      // The release itself stands, whether the next can be let in or not.
      expect(await held.release()).toBe('released');
      await sleep(duration);
      await free();
      const [first, second] = await Promise.all([throughs[0]!, throughs[1]!]);
      expect(first.slice(1)).toEqual([true, 'released']);
      expect(second.slice(1)).toEqual([true, 'released']);
      expect(isRising([held.fence, first[0], second[0]])).toBe(true);
      expect(overlaps(await readRecord(group.record, 'tour'))).toEqual([]);
    },
  );
});
