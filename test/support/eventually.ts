import { setTimeout as sleep } from 'node:timers/promises';

/** Tries `check` until it neither throws nor is false. @throws the last error, after `timeout` milliseconds */
export async function eventually<T>(
  check: () => T | Promise<T>,
  timeout = 5_000,
): Promise<Exclude<T, false>> {
  const deadline = performance.now() + timeout;
  for (;;) {
    try {
      const result = await check();
      if (result !== false) return result as Exclude<T, false>;
      if (performance.now() > deadline) throw new Error(`still false after ${timeout} ms`);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(20);
  }
}
