import { setTimeout as sleep } from 'node:timers/promises';
import { backoff, type Pauses } from '../../timing/backoff.js';
import type { LockEngine } from '../lock-engine.js';
import type { Resource } from '../server/resource.js';
import { Lease } from '../lease/lease.js';
import { LockCancelledError, LockLostError } from '../lock-errors.js';
import { logger } from '../lock-logger.js';
import type { ResolvedLeaderOptions } from './leader-options.js';
import { LeaderTerm } from './leader-term.js';

/** After candidacies that fail. */
const RETRY: Pauses = { first: 100, longest: 1_000 };

/** Milliseconds without a candidacy after a term that was given up: a body that ends at once would else lead a thousand times a second. */
const REST = 1_000;

/** A run of a leader: it stands for election again and again, for one term after the other, until it is stopped. */
export class Candidacy {
  readonly #engine: LockEngine;
  readonly #resource: Resource;
  readonly #options: ResolvedLeaderOptions;
  readonly #stopped = new AbortController();
  readonly #finished: Promise<void>;
  #onFinished = (): void => undefined;
  #isFinished = false;
  #term: LeaderTerm | undefined;
  #failures = 0;

  constructor(engine: LockEngine, resource: Resource, options: ResolvedLeaderOptions) {
    this.#engine = engine;
    this.#resource = resource;
    this.#options = options;
    this.#finished = new Promise((resolve) => (this.#onFinished = resolve));
  }

  get term(): LeaderTerm | undefined {
    return this.#term;
  }

  /** Whether nothing runs under it any more, and nothing will. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /**
   * One term after the other. A term is released when the next is asked for, and when no more is; the next one comes after a rest, if it was
   * not lost. Never throws.
   */
  async *terms(): AsyncGenerator<LeaderTerm, void, undefined> {
    const { signal } = this.#options;
    const stop = (): void => void this.stop(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    try {
      for (let term = await this.#elected(); term; term = await this.#elected()) {
        try {
          yield term;
        } finally {
          await term.leave();
          this.#term = undefined;
        }
        if (!term.lost) await this.pause(REST);
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#stopped.abort();
      this.#isFinished = true;
      this.#onFinished();
    }
  }

  /** Waits, unless it is stopped. */
  async pause(milliseconds: number): Promise<void> {
    const { signal } = this.#stopped;
    await sleep(milliseconds, undefined, { ref: false, signal }).catch(() => undefined);
  }

  /** Ends the term and the candidacy. Resolves when another may lead; never rejects. */
  async stop(reason?: unknown): Promise<void> {
    this.#stopped.abort(reason);
    const term = this.#term;
    term?.end(reason);
    await (term ? Promise.race([this.#finished, term.overdue]) : this.#finished);
  }

  /** As {@link stop}; the term is lost by the end of the application. */
  shutDown(): Promise<void> {
    const term = this.#term;
    return this.stop(term && new LockLostError(term.resource, term.fence, 'shutdown'));
  }

  async #elected(): Promise<LeaderTerm | undefined> {
    while (!this.#stopped.signal.aborted) {
      const lease = await this.#stand();
      if (!lease) continue;
      if (!this.#stopped.signal.aborted) return this.#begin(lease);
      await lease.release();
    }
    return undefined;
  }

  #begin(lease: Lease): LeaderTerm {
    const { events } = this.#engine;
    const { resource, fence } = lease;
    events.publish('elected', { resource, fence });
    const onEnd = (): void => events.publish('deposed', { resource, fence });
    return (this.#term = new LeaderTerm(lease, { grace: this.#options.grace, onEnd }));
  }

  /** Undefined for once more. */
  async #stand(): Promise<Lease | undefined> {
    try {
      const options = { ...this.#options.lock, signal: this.#stopped.signal };
      const outcome = await this.#engine.acquire([this.#resource], options);
      if (this.#failures > 0) logger.log(`Stands for election as '${this.#resource.name}' again`);
      this.#failures = 0;
      return outcome instanceof Lease ? outcome : undefined;
    } catch (error) {
      // The application shuts down, where it was not stopped itself.
      if (error instanceof LockCancelledError) this.#stopped.abort();
      else await this.#failed(error);
      return undefined;
    }
  }

  async #failed(error: unknown): Promise<void> {
    const delay = backoff(this.#failures++, RETRY);
    if (this.#failures === 1) {
      const why = error instanceof Error ? error.message : String(error);
      logger.warn(`Cannot stand for election as '${this.#resource.name}', and tries again: ${why}`);
    }
    await this.pause(delay);
  }
}
