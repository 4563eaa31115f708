import { setTimeout as sleep } from 'node:timers/promises';

/** Whether `promise` settles before `deadline` (on the clock of `performance.now()`); how it settles is not looked at. */
export async function settleWithin(promise: Promise<unknown>, deadline: number): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(Math.max(0, deadline - performance.now()), false, { signal: timer.signal }).catch(
    () => false,
  );
  const settled = promise.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, late]).finally(() => timer.abort());
}
