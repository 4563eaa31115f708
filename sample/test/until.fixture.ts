import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a condition holds, looking 20 times a second. @throws Error after `timeout` milliseconds */
export async function until(condition: () => boolean | Promise<boolean>, timeout = 10_000): Promise<void> {
  const deadline = performance.now() + timeout;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not within ${timeout} ms: ${condition.toString()}`);
    await sleep(50);
  }
}
