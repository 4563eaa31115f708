import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { ServedProcessGroup } from './fixtures/served-process-group.js';
import type { LockProcess } from './fixtures/process-handle.js';

const TTL = 2_000;

/** What a busy machine may add, in milliseconds. */
const MARGIN = 1_500;

const group = new ServedProcessGroup(2);

const options = { ttl: TTL, wait: '20s' } as const;

async function waitFor(queued: number): Promise<void> {
  const admin = await group.server.admin();
  await eventually(async () => (await admin.zcard('lock:{tour}:queue')) === queued);
}

/** What two that were told to leave have in common: they end by themselves, and say nothing about it. */
async function expectToLeave(leaving: LockProcess): Promise<void> {
  const { code, after } = await group.leave(leaving);
  expect({ code, output: leaving.output }).toEqual({ code: 0, output: '' });
  expect(after).toBeLessThan(TTL + MARGIN);
}

describe('a process that shuts down', () => {
  it('while it waits tells those who wait, and leaves the queue to others at once', async () => {
    const [leaving, other] = (await group.serve(2, options)) as [LockProcess, LockProcess];
    const held = await other.acquire('tour');
    const cancelled = [leaving.acquire('tour'), leaving.acquire('tour', { wait: Infinity })];
    const codes = Promise.all(
      cancelled.map((each) => each.then(String, ({ code }: { code: string }) => code)),
    );
    await waitFor(2);
    await expectToLeave(leaving);
    expect(await codes).toEqual(['LOCK_CANCELLED', 'LOCK_CANCELLED']);
    await waitFor(0);
    expect(await held.release()).toBe('released');
    expect(await (await other.acquire('tour', { wait: 0 })).release()).toBe('released');
  });

  it('while it holds a resource hands it on at once', async () => {
    const [leaving, other] = (await group.serve(2, { ...options, ttl: '1m' })) as [LockProcess, LockProcess];
    const held = await leaving.acquire('tour');
    const waiting = other.acquire('tour');
    await waitFor(1);
    await expectToLeave(leaving);
    const next = await waiting;
    expect(next.fence).toBeGreaterThan(held.fence);
    expect(await next.write()).toBe(true);
  });

  it('while it holds a resource that others wait for in the same process lets none of them in', async () => {
    const [leaving, other] = (await group.serve(2, options)) as [LockProcess, LockProcess];
    await leaving.acquire('tour');
    const cancelled = leaving.acquire('tour').then(String, ({ code }: { code: string }) => code);
    await waitFor(1);
    const waiting = other.acquire('tour');
    await waitFor(2);
    await expectToLeave(leaving);
    expect(await cancelled).toBe('LOCK_CANCELLED');
    expect(await (await waiting).write()).toBe(true);
  });

  it('lets what it holds expire where it is told to', async () => {
    const [leaving, other] = await Promise.all([
      group.open(group.server.options, { ...options, onShutdown: 'expire' }),
      group.open(group.server.options, options),
    ]);
    const held = await leaving.acquire('tour');
    await expectToLeave(leaving);
    const life = await eventually(async () => {
      const state = await (await group.server.admin()).hvals('lock:{tour}');
      return state.some((value) => value.split(' ')[1] === String(held.fence));
    });
    expect(life).toBe(true);
    await expect(other.acquire('tour', { wait: 0 })).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    const from = performance.now();
    const next = await other.acquire('tour');
    expect(performance.now() - from).toBeLessThan(TTL + MARGIN);
    expect(next.fence).toBeGreaterThan(held.fence);
  });

  it('while Redis is away ends all the same', async () => {
    const [leaving, other] = (await group.openAll(
      2,
      { ...group.server.options, shutdownTimeout: 500 },
      options,
    )) as [LockProcess, LockProcess];
    await leaving.acquire('tour');
    const cancelled = leaving.acquire('tour').then(String, ({ code }: { code: string }) => code);
    await waitFor(1);
    group.server.pause();
    const { code } = await group.leave(leaving).finally(() => group.server.resume());
    expect(code).toBe(0);
    expect(await cancelled).toBe('LOCK_CANCELLED');
    const next = await other.acquire('tour');
    expect(await next.write()).toBe(true);
  });
});
