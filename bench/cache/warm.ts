import { setTimeout as wait } from 'node:timers/promises';
import { runInFlight } from '../support/in-flight.js';
import type { Subject } from './subject.js';

/** Longer than an invalidation takes to come back from the server. */
const echo = 100;

export async function store(
  subject: Subject,
  keys: readonly string[],
  value: unknown,
  tags?: readonly string[],
): Promise<void> {
  await runInFlight(keys.length, 100, (index) => subject.set(keys[index] as string, value, tags));
  await wait(echo);
}

/** What one stores oneself is in the local tier only after it was read, where the server reports writes. */
export async function warmLocalTier(
  subject: Subject,
  keys: readonly string[],
  value: unknown,
  tags?: readonly string[],
): Promise<void> {
  await store(subject, keys, value, tags);
  for (let time = 0; time < 2; time++) {
    const found = await Promise.all(keys.map((key) => subject.get(key)));
    const missing = found.filter((one) => one === undefined || one === null).length;
    if (missing > 0) throw new Error(`${subject.name} lost ${missing} of ${keys.length} values`);
    await wait(echo);
  }
}
