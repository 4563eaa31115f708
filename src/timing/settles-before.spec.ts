import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { settlesBefore } from './settles-before.js';

const soon = (): number => performance.now() + 20;

describe('what settles before a deadline', () => {
  it('is what does, whichever way', async () => {
    expect(await settlesBefore(Promise.resolve(), soon())).toBe(true);
    expect(await settlesBefore(Promise.reject(new Error('failed')), soon())).toBe(true);
    expect(await settlesBefore(sleep(1), performance.now() + 10_000)).toBe(true);
  });

  it('is not what comes later, or never, whether or not the process is held', async () => {
    const never = new Promise(() => undefined);
    expect(await settlesBefore(never, soon())).toBe(false);
    expect(await settlesBefore(never, performance.now() - 1_000)).toBe(false);
    expect(await settlesBefore(never, soon(), 'free')).toBe(false);
  });

  it('may be settled already when the deadline is over', async () => {
    expect(await settlesBefore(Promise.resolve(), performance.now() - 1_000)).toBe(true);
  });

  it('rejects late unnoticed', async () => {
    expect(
      await settlesBefore(
        sleep(30).then(() => Promise.reject(new Error('late'))),
        soon(),
      ),
    ).toBe(false);
    await sleep(30);
  });
});
