import { LinkedList } from '../../timing/linked-list.js';
import type { Resource } from '../server/resource.js';
import type { Hold } from '../lease/hold.js';
import { LockCancelledError } from '../lock-errors.js';
import type { ResolvedLockOptions } from '../options/resolved-lock-options.js';
import { Attempt, type AttemptParts, type Busy } from './attempt.js';

/** The acquisitions that are under way. */
export class Attempts {
  readonly #parts: AttemptParts;
  readonly #running = new LinkedList<Attempt>();
  #closed: Error | undefined;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
  }

  /**
   * Acquires one resource.
   *
   * @param until when (`performance.now()`) the wait is over
   * @throws LockUnavailableError, LockCancelledError
   */
  acquire(resource: Resource, options: ResolvedLockOptions, until: number): Promise<Hold | Busy> {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(new LockCancelledError(resource.name, signal.reason));
    const attempt = new Attempt(this.#parts, resource, options, this.#closed ? 0 : until);
    this.#running.add(attempt);
    const outcome = attempt.run(() => this.#running.delete(attempt));
    const wanted = signal ? cancellable(outcome, attempt, signal) : outcome;
    return this.#closed ? this.#refuse(resource, wanted) : wanted;
  }

  /** A push for who does not wait yet. @returns whether it is under way */
  push(token: string): boolean {
    for (const attempt of this.#running) if (attempt.push(token)) return true;
    return false;
  }

  /** Ends all waits, and lets nobody wait any more. What is free can be acquired still. */
  cancelAll(reason: Error): void {
    this.#closed ??= reason;
    for (const attempt of this.#running) attempt.cancel(reason);
  }

  async #refuse({ name }: Resource, wanted: Promise<Hold | Busy>): Promise<Hold | Busy> {
    const outcome = await wanted;
    if ('isBusy' in outcome) throw new LockCancelledError(name, this.#closed);
    return outcome;
  }
}

/** Rejects as soon as the signal is aborted, whatever the attempt waits for. What it is granted all the same is given back. */
function cancellable(
  outcome: Promise<Hold | Busy>,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Hold | Busy> {
  return new Promise((resolve, reject) => {
    let isCancelled = false;
    const abort = (): void => {
      isCancelled = true;
      reject(attempt.cancel(signal.reason));
    };
    signal.addEventListener('abort', abort, { once: true });
    outcome.then(
      (value) => {
        signal.removeEventListener('abort', abort);
        // The attempt itself may have ended before.
        if (isCancelled) attempt.giveUp(value);
        else resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', abort);
        reject(error);
      },
    );
  });
}
