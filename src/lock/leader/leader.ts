import { backoff, type Pauses } from '../../timing/backoff.js';
import { whileHolding } from '../lease/lease-context.js';
import { LeaderRunningError, LockCancelledError, LockLostError } from '../lock-errors.js';
import { logger } from '../lock-logger.js';
import type { Candidacy } from './candidacy.js';
import { checkCallbacks, type LeaderCallbacks, type ResolvedLeaderOptions } from './leader-options.js';
import type { LeaderTerm } from './leader-term.js';
import type { Leaders } from './leaders.js';

/** How much longer a replica does not stand for election when its `elected` has failed: more each time. */
const PAUSE: Pauses = { first: 1_000, longest: 30_000 };

/**
 * Has one replica lead at a time. It stands for election for as long as it runs, whatever becomes of Redis meanwhile; a term that is lost
 * is followed by a new candidacy, and so is one that is given up, after a second. It runs as a loop or with callbacks, once at a time; when
 * it has stopped, it may run again. The lock has the name `leader:` and that of the leader.
 *
 * @example
 * for await (const term of locks.leader('ranking')) {
 *   while (term.isLeading) {
 *     await refreshRanking(term.fence);
 *     await term.sleep('1m');
 *   }
 * }
 */
export class Leader implements AsyncIterable<LeaderTerm>, AsyncDisposable {
  readonly name: string;
  readonly #leaders: Leaders;
  readonly #options: ResolvedLeaderOptions;
  #candidacy: Candidacy | undefined;

  /** @internal */
  constructor(leaders: Leaders, name: string, options: ResolvedLeaderOptions) {
    this.#leaders = leaders;
    this.name = name;
    this.#options = options;
  }

  /** Whether this replica leads. */
  get isLeader(): boolean {
    return this.term !== undefined;
  }

  /** The term of this replica, while it leads. */
  get term(): LeaderTerm | undefined {
    const term = this.#candidacy?.term;
    return term?.isLeading ? term : undefined;
  }

  /**
   * Loops over the terms of this replica. When the body comes to its end, the term is given up, and the replica stands for election again,
   * after a second in which another may be elected; where the term was lost, at once. `break`, `return` and what the body throws give it up
   * at once. The loop ends, without an error, by {@link stop}, the option `signal`, or when the application shuts down; before that, the
   * term's own `signal` has been aborted, and the body should end. `LockService.current()` does not find the term in the body of a loop,
   * which runs in the context of its caller; in callbacks it does.
   *
   * @throws LeaderRunningError where the leader runs already
   */
  [Symbol.asyncIterator](): AsyncGenerator<LeaderTerm, void, undefined> {
    return this.#terms();
  }

  /**
   * Runs with callbacks. Returns at once.
   *
   * @throws LeaderRunningError where the leader runs already; LockConfigurationError for what are no callbacks
   * @example
   * leader.start({ elected: () => scheduler.start(), deposed: () => scheduler.stop() });
   */
  start(callbacks: LeaderCallbacks): void {
    checkCallbacks(`Leader '${this.name}'`, callbacks);
    this.#refuseSecond();
    void this.#serve(callbacks);
  }

  /**
   * Ends the term and the candidacy. Resolves when another may lead: what runs under the term has come to its end, or `grace` is over.
   * Do not await it within the loop or a callback, since it waits for these. Never rejects.
   */
  async stop(): Promise<void> {
    await this.#candidacy?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #refuseSecond(): void {
    if (!this.#candidacy || this.#candidacy.isFinished) return;
    throw new LeaderRunningError(this.name);
  }

  async *#terms(): AsyncGenerator<LeaderTerm, void, undefined> {
    this.#refuseSecond();
    const candidacy = this.#leaders.add(this.name, this.#options);
    this.#candidacy = candidacy;
    try {
      yield* candidacy.terms();
    } finally {
      this.#leaders.remove(candidacy);
    }
  }

  async #serve(callbacks: LeaderCallbacks): Promise<void> {
    let failures = 0;
    for await (const term of this.#terms()) {
      const candidacy = this.#candidacy;
      const isInOffice = await this.#call(term, 'elected', () => callbacks.elected(term));
      if (isInOffice) await term.ended;
      else term.end();
      const { reason } = term.signal;
      const loss = reason instanceof LockLostError ? reason : undefined;
      await this.#call(term, 'deposed', () => callbacks.deposed?.(loss));
      await term.release();
      failures = isInOffice ? 0 : failures + 1;
      if (failures > 0) await candidacy?.pause(backoff(failures - 1, PAUSE));
    }
  }

  /** @returns whether it did not fail, or only because the term had ended */
  async #call(term: LeaderTerm, name: keyof LeaderCallbacks, callback: () => unknown): Promise<boolean> {
    try {
      await whileHolding(this.#leaders.engine, term, callback);
      return true;
    } catch (error) {
      if (term.signal.aborted && isAbort(error, term.signal.reason)) return true;
      const stack = error instanceof Error ? error.stack : undefined;
      logger.error(`'${name}' of the leader '${this.name}' has failed: ${String(error)}`, stack);
      return false;
    }
  }
}

/** Whether the error is what an aborted signal makes of a call, or the end of the application of a wait. */
function isAbort(error: unknown, reason: unknown): boolean {
  const { name, cause } = (error ?? {}) as Partial<Error>;
  const isReason = error === reason || (cause !== undefined && cause === reason);
  return isReason || name === 'AbortError' || error instanceof LockCancelledError;
}
