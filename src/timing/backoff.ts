import { setTimeout as sleep } from 'node:timers/promises';
import { RedisError } from '../redis/index.js';

/** Pauses in milliseconds. */
export interface Pauses {
  /** After the first failure; it doubles with each further one. */
  readonly first: number;
  readonly longest: number;
}

/** Between releases that fail. */
const RELEASE: Pauses = { first: 100, longest: 1_000 };

/**
 * Milliseconds to wait before the next try: exponential backoff, of which half is random (M. Brooker, "Exponential Backoff And Jitter",
 * AWS Architecture Blog, 2015: "equal jitter").
 *
 * @param failures that came before the last one
 */
export function backoff(failures: number, { first, longest }: Pauses): number {
  return Math.min(first * 2 ** failures, longest) * (0.5 + Math.random() / 2);
}

/**
 * Tries again what failed, until it succeeds, cannot succeed, or the deadline has passed. Never rejects.
 *
 * @param deadline `performance.now()`
 */
export async function tryAgainUntil(deadline: number, work: () => Promise<unknown>): Promise<void> {
  for (let failures = 0; ; failures++) {
    const pause = backoff(failures, RELEASE);
    if (performance.now() + pause >= deadline) return;
    await sleep(pause, undefined, { ref: false });
    try {
      await work();
      return;
    } catch (error) {
      if (!(error instanceof RedisError) || !error.retryable) return;
    }
  }
}
