import { showValue } from '../redis/shared.js';
import type { LockEngine } from './lock-engine.js';
import type { Resource } from './server/resource.js';
import { leaseOf, whileHolding } from './lease/lease-context.js';
import { Lease } from './lease/lease.js';
import { LockTimeoutError } from './lock-errors.js';
import { LockConfigurationError } from './options/lock-configuration-error.js';
import type { LockOptions, TryLockOptions } from './options/lock-options.js';
import type { ResolvedLockOptions } from './options/resolved-lock-options.js';
import { resolveLockOptions, resolveTryOptions } from './options/resolve-lock-options.js';
import type { Busy } from './waiting/attempt.js';

/** What is done under a lock. */
export type LockRoutine<T> = (lease: Lease) => T | Promise<T>;

/** Something that can be held: a resource, several together, a permit of a semaphore, one side of a read/write lock. */
export class Lock {
  readonly #engine: LockEngine;
  readonly #resources: readonly Resource[];
  readonly #status: 423 | 409 | undefined;

  /** @internal @param status of a LockTimeoutError */
  constructor(engine: LockEngine, resources: readonly Resource[], status?: 423 | 409) {
    this.#engine = engine;
    this.#resources = resources;
    this.#status = status;
  }

  /** What is locked; of several resources, their names one after the other. */
  get resource(): string {
    return this.#resources.map(({ name }) => name).join(', ');
  }

  /** @internal Whose lock it is: applications of one process have an engine each. */
  get owner(): object {
    return this.#engine;
  }

  /** @internal */
  get resources(): readonly Resource[] {
    return this.#resources;
  }

  /** @internal The same, with this status in its `LockTimeoutError`. */
  answering(status: 423 | 409): Lock {
    return new Lock(this.#engine, this.#resources, status);
  }

  /**
   * Acquires it; who came before comes first.
   *
   * @throws LockTimeoutError where others held it for all of `wait`; LockUnavailableError where Redis could not be asked;
   *   LockCancelledError where `signal` was aborted, or the application shut down; LockConfigurationError for wrong options
   */
  async acquire(options?: LockOptions): Promise<Lease> {
    const startedAt = performance.now();
    try {
      const resolved = options ? resolveLockOptions(this.#subject, options, this.#defaults) : this.#defaults;
      const outcome = await this.#engine.acquire(this.#resources, resolved);
      if (outcome instanceof Lease) return outcome;
      throw this.#timeoutError(outcome, resolved.wait === 0 ? 0 : performance.now() - startedAt);
    } catch (error) {
      throw this.#failed(startedAt, error);
    }
  }

  /**
   * Acquires it if it is free.
   *
   * @param options without `wait`
   * @returns undefined where it is not
   * @throws as {@link acquire}, save LockTimeoutError
   */
  async tryAcquire(options?: TryLockOptions): Promise<Lease | undefined> {
    const startedAt = performance.now();
    try {
      const resolved = options
        ? resolveTryOptions(this.#subject, options, this.#defaults)
        : { ...this.#defaults, wait: 0 };
      const outcome = await this.#engine.acquire(this.#resources, resolved);
      return outcome instanceof Lease ? outcome : undefined;
    } catch (error) {
      throw this.#failed(startedAt, error);
    }
  }

  /**
   * Runs a routine while it is held. What the routine returns or throws is what the caller gets, also where the lock was lost meanwhile:
   * the routine learns of that by the lease's `signal`.
   *
   * @throws as {@link acquire}
   * @example
   * await locks.using('report:daily', async ({ signal }) => upload(await report(signal)));
   */
  using<T>(routine: LockRoutine<T>): Promise<T>;
  using<T>(options: LockOptions | undefined, routine: LockRoutine<T>): Promise<T>;
  async using<T>(first: LockOptions | LockRoutine<T> | undefined, second?: LockRoutine<T>): Promise<T> {
    const [options, routine] = typeof first === 'function' ? [undefined, first] : [first, second];
    if (typeof routine !== 'function') throw this.#routineError(routine);
    const lease = await this.acquire(options);
    return this.runUnder(lease, routine);
  }

  /** @internal Runs a routine under a lease of it, and releases that. */
  async runUnder<T>(lease: Lease, routine: LockRoutine<T>): Promise<T> {
    try {
      return await whileHolding(this.#engine, lease, () => routine(lease));
    } finally {
      await lease.release();
    }
  }

  /** Tells of it, unless nothing was tried. */
  #failed(startedAt: number, error: unknown): unknown {
    if (error instanceof LockConfigurationError) return error;
    const waited = performance.now() - startedAt;
    this.#engine.events.publish('failed', { resource: this.resource, waited, error: error as Error });
    return error;
  }

  #routineError(routine: unknown): LockConfigurationError {
    const message = `${showValue(routine)} is not a function to run under the lock`;
    return new LockConfigurationError(this.#subject, [{ option: 'routine', message }]);
  }

  get #subject(): string {
    return `Lock '${this.resource}'`;
  }

  get #defaults(): ResolvedLockOptions {
    return this.#engine.options.defaults;
  }

  #timeoutError({ resource, remaining }: Busy, waited: number): LockTimeoutError {
    const retryAfter = Math.max(1, Math.ceil(remaining / 1_000));
    const isOwn = leaseOf(this.#engine, resource) !== undefined;
    return new LockTimeoutError(resource.name, waited, { statusCode: this.#status, retryAfter, isOwn });
  }
}
