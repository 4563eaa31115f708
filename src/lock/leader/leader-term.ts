import { setTimeout as sleep } from 'node:timers/promises';
import type { Duration } from '../../redis/index.js';
import type { ReleaseOutcome } from '../lease/held-lease.js';
import { Lease } from '../lease/lease.js';
import { logger } from '../lock-logger.js';
import { resolvePause } from './leader-options.js';

interface TermOptions {
  /** Milliseconds from its end until it is released, whatever runs under it. */
  readonly grace: number;
  readonly onEnd: (term: LeaderTerm) => void;
}

/**
 * A term of office: this replica leads until `signal` is aborted. That is so when the lease is lost (with a `LockLostError`), when the
 * application shuts down (with a `LockLostError`, too, of the reason `shutdown`), and when the term is given up. Another may lead only when
 * what runs under the term has come to its end, or `grace` is over, or the lease was lost.
 */
export class LeaderTerm extends Lease {
  /** Resolves when the term has ended. @internal */
  readonly ended: Promise<void>;
  /** Resolves when `grace` is over after its end, and it has been released. @internal */
  readonly overdue: Promise<void>;
  readonly #controller = new AbortController();
  readonly #grace: number;
  #timer: NodeJS.Timeout | undefined;
  #onOverdue = (): void => undefined;

  /** @internal @param lease whose place it takes */
  constructor(lease: Lease, { grace, onEnd }: TermOptions) {
    super(lease.held);
    void lease.release();
    this.#grace = grace;
    this.overdue = new Promise((resolve) => (this.#onOverdue = resolve));
    const { signal } = this.#controller;
    this.ended = new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    signal.addEventListener('abort', () => onEnd(this), { once: true });
    const held = lease.signal;
    held.addEventListener('abort', () => this.end(held.reason), { once: true });
    if (held.aborted) this.end(held.reason);
  }

  /** Aborted when this replica leads no more. */
  override get signal(): AbortSignal {
    // Its time may have passed, although no timer has said so yet.
    if (this.lost) this.end(this.lost);
    return this.#controller.signal;
  }

  get isLeading(): boolean {
    return !this.signal.aborted;
  }

  /**
   * Waits, and never keeps the process alive. Never rejects because the term has ended.
   *
   * @returns as soon as the term has ended; whether this replica still leads
   * @throws LockConfigurationError for what is no duration
   */
  async sleep(duration: Duration): Promise<boolean> {
    const pause = resolvePause(`sleep of '${this.resource}'`, duration);
    await sleep(pause, undefined, { ref: false, signal: this.signal }).catch(() => undefined);
    return this.isLeading;
  }

  /** Gives the term up at once. Never rejects. */
  override release(): Promise<ReleaseOutcome> {
    this.end();
    return super.release();
  }

  /** What ran under it has come to its end. Never rejects. @internal */
  async leave(): Promise<void> {
    await this.release();
    clearTimeout(this.#timer);
  }

  /** Aborts the signal. Others may lead when what runs under the term has released it; after `grace`, in any case. @internal */
  end(reason?: unknown): void {
    if (this.#controller.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#overrun(), this.#grace).unref();
    this.#controller.abort(reason);
  }

  async #overrun(): Promise<void> {
    if (this.remaining > 0) {
      const late = `${this.#grace} ms after its term`;
      logger.warn(`'${this.resource}' is released ${late}: what runs under it has not ended`);
    }
    await this.release();
    this.#onOverdue();
  }
}
