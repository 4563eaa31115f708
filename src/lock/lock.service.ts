import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { showValue } from '../redis/shared.js';
import type { LockEngine, LockStats } from './engine/lock-engine.js';
import { currentLease } from './lease/lease-context.js';
import type { Lease } from './lease/lease.js';
import { Lock, type Routine } from './lock.js';
import { LockNotHeldError } from './lock-errors.js';
import { LockConfigurationError } from './options/lock-configuration-error.js';
import type { LockOptions, TryLockOptions } from './options/lock-options.js';

/** One resource, or several that are locked together. */
export type Resources = string | readonly string[];

/** A lock that many may hold to read, or one to write. Who came first comes first; readers next to each other are let in together. */
export interface ReadWriteLock {
  readonly read: Lock;
  readonly write: Lock;
}

const MOST_PERMITS = 1_000_000;

/**
 * Locks over the replicas of an application.
 *
 * @example
 * await locks.using(`booking:${tour}`, { wait: '2s' }, async () => this.book(tour, guest));
 */
@Injectable()
export class LockService implements BeforeApplicationShutdown {
  readonly #engine: LockEngine;

  /** @internal */
  constructor(engine: LockEngine) {
    this.#engine = engine;
  }

  /** As {@link Lock.acquire}. */
  acquire(resource: Resources, options?: LockOptions): Promise<Lease> {
    return this.lock(resource).acquire(options);
  }

  /** As {@link Lock.tryAcquire}. */
  tryAcquire(resource: Resources, options?: TryLockOptions): Promise<Lease | undefined> {
    return this.lock(resource).tryAcquire(options);
  }

  /** As {@link Lock.using}. */
  using<T>(resource: Resources, routine: Routine<T>): Promise<T>;
  using<T>(resource: Resources, options: LockOptions | undefined, routine: Routine<T>): Promise<T>;
  using<T>(
    resource: Resources,
    first: LockOptions | Routine<T> | undefined,
    second?: Routine<T>,
  ): Promise<T> {
    const lock = this.lock(resource);
    return typeof first === 'function' ? lock.using(first) : lock.using(first, second!);
  }

  /**
   * The lock of a resource, or of several that are held together or not at all.
   *
   * @throws LockConfigurationError for what is no name
   */
  lock(resource: Resources): Lock {
    const names = typeof resource === 'string' ? [resource] : [...new Set(resource)];
    if (names.length === 0) throw nameError('resource', 'is an empty list');
    return new Lock(
      this.#engine,
      names.map((name) => this.#engine.resources.lock(checkName('resource', name))),
    );
  }

  /**
   * Lets in as many as there are permits, in the order in which they come. Where replicas differ in the number of permits, the smaller
   * holds, and for a minute after it was last asked for.
   *
   * @throws LockConfigurationError for what is no name or no number of permits
   * @example
   * await locks.semaphore('geocoder', 5).using(() => geocode(address));
   */
  semaphore(name: string, permits: number): Lock {
    if (!Number.isInteger(permits) || permits < 1 || permits > MOST_PERMITS) {
      throw nameError('permits', `${showValue(permits)} is not an integer of 1 to ${MOST_PERMITS}`);
    }
    return new Lock(this.#engine, [this.#engine.resources.semaphore(checkName('name', name), permits)]);
  }

  /**
   * A lock with two sides.
   *
   * @throws LockConfigurationError for what is no name
   * @example
   * const { read, write } = locks.readWrite('ranking');
   * await write.using(() => rebuild());
   */
  readWrite(name: string): ReadWriteLock {
    checkName('name', name);
    const { resources } = this.#engine;
    return {
      read: new Lock(this.#engine, [resources.readers(name)]),
      write: new Lock(this.#engine, [resources.writer(name)]),
    };
  }

  /**
   * The lease under which the caller runs: within {@link using}, or a method with `@Locked`. Of several, the innermost.
   *
   * @throws LockNotHeldError elsewhere
   */
  current(): Lease {
    const lease = currentLease(this.#engine);
    if (!lease) throw new LockNotHeldError();
    return lease;
  }

  /** What this process holds, and waits for. */
  stats(): LockStats {
    return this.#engine.stats();
  }

  /** @internal Who waits would keep the server from closing. */
  beforeApplicationShutdown(): void {
    this.#engine.cancelWaits();
  }
}

function checkName(option: string, name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw nameError(option, `${showValue(name)} is not a text with at least one letter`);
}

function nameError(option: string, message: string): LockConfigurationError {
  return new LockConfigurationError('LockService', [{ option, message }]);
}
