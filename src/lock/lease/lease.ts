import type { Duration } from '../../redis/index.js';
import { LockNotHeldError, type LockLostError } from '../lock-errors.js';
import { resolveTtl } from '../options/resolve-lock-options.js';
import type { ReleaseOutcome } from './held-lease.js';
import type { Held } from './joined-lease.js';

/**
 * A lock that is held, until it is released or lost. Whoever is paused for longer than its `ttl`, by a garbage collection or a stopped
 * machine, loses it without noticing at once: where that must do no harm, hand `fence` on to what is written to.
 *
 * @example
 * await using lease = await locks.acquire('report:daily');
 * await upload(report, { signal: lease.signal });
 */
export class Lease implements AsyncDisposable {
  /** What is locked; of several resources, their names one after the other. */
  readonly resource: string;
  /**
   * A number that is larger than that of every lease of these resources before. What is written to refuses a smaller one than it has
   * seen (M. Kleppmann, "How to do distributed locking", 2016).
   */
  readonly fence: number;
  readonly #held: Held;
  #released: Promise<ReleaseOutcome> | undefined;

  /** @internal */
  constructor(held: Held) {
    this.#held = held;
    this.resource = held.resource;
    this.fence = held.fence;
    held.share();
  }

  /** The names of what is locked, in the order in which they were asked for or acquired. */
  get resources(): readonly string[] {
    return this.#held.resources;
  }

  /** Aborted when the lease is lost, with a `LockLostError`; at its deadline also where Redis is silent. Not by `release`. */
  get signal(): AbortSignal {
    return this.#held.signal;
  }

  /** Why it is lost, if so. */
  get lost(): LockLostError | undefined {
    return this.#held.lost;
  }

  /** Milliseconds until it is lost, unless it is renewed before; 0 where it is lost or released. */
  get remaining(): number {
    return this.#released ? 0 : this.#held.remaining;
  }

  /**
   * Renews it now.
   *
   * @param ttl from now on, instead of that of the acquisition
   * @returns `remaining`
   * @throws LockLostError; LockUnavailableError where Redis could not be asked, while it is still held; LockNotHeldError where it was
   *   released; LockConfigurationError for what is no ttl
   */
  async extend(ttl?: Duration): Promise<number> {
    if (this.#released) throw new LockNotHeldError(`The lock of '${this.resource}' was released`);
    return this.#held.extend(ttl === undefined ? undefined : resolveTtl(`extend of '${this.resource}'`, ttl));
  }

  /**
   * Releases it; a second time does nothing. Never rejects. The resource is free when the last lease of it is released: a lease that was let
   * in with `reentrant` is released at once, while the one around it holds the resource still.
   *
   * @returns `'released'`; `'lost'`, it was lost before; `'unconfirmed'`, Redis could not be told yet
   */
  release(): Promise<ReleaseOutcome> {
    this.#released ??= this.#held.release();
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** @internal */
  get isReleased(): boolean {
    return this.#released !== undefined;
  }

  /** @internal */
  get held(): Held {
    return this.#held;
  }
}
