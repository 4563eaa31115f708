import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { showValue } from '../redis/shared.js';
import type { LockEngine, LockStats } from './lock-engine.js';
import type { Resource } from './server/resource.js';
import type { RevokedHolder } from './inspection/lock-inspector.js';
import type { HeldResource, LockInspection } from './inspection/lock-inspection.js';
import type { Leader } from './leader/leader.js';
import type { LeaderOptions } from './leader/leader-options.js';
import { Leaders } from './leader/leaders.js';
import { currentLease } from './lease/lease-context.js';
import type { Lease } from './lease/lease.js';
import { Lock, type LockRoutine } from './lock.js';
import { LockNotHeldError } from './lock-errors.js';
import { LockConfigurationError } from './options/lock-configuration-error.js';
import type { LockOptions, TryLockOptions } from './options/lock-options.js';

/** One resource, or several that are locked together. */
export type LockResources = string | readonly string[];

/** A lock that many may hold to read, or one to write. Who came first comes first; readers next to each other are let in together. */
export interface ReadWriteLock {
  readonly read: Lock;
  readonly write: Lock;
}

/** How a lock is released by force. */
export interface ForceReleaseOptions {
  /** Why, for the log. */
  reason: string;
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
  readonly #leaders: Leaders;

  /** @internal */
  constructor(engine: LockEngine) {
    this.#engine = engine;
    this.#leaders = new Leaders(engine);
  }

  /** As {@link Lock.acquire}. */
  async acquire(resource: LockResources, options?: LockOptions): Promise<Lease> {
    return this.lock(resource).acquire(options);
  }

  /** As {@link Lock.tryAcquire}. */
  async tryAcquire(resource: LockResources, options?: TryLockOptions): Promise<Lease | undefined> {
    return this.lock(resource).tryAcquire(options);
  }

  /** As {@link Lock.using}. */
  using<T>(resource: LockResources, routine: LockRoutine<T>): Promise<T>;
  using<T>(resource: LockResources, options: LockOptions | undefined, routine: LockRoutine<T>): Promise<T>;
  async using<T>(
    resource: LockResources,
    first: LockOptions | LockRoutine<T> | undefined,
    second?: LockRoutine<T>,
  ): Promise<T> {
    const lock = this.lock(resource);
    return typeof first === 'function' ? lock.using(first) : lock.using(first, second!);
  }

  /**
   * The lock of a resource, or of several that are held together or not at all.
   *
   * @throws LockConfigurationError for what is no name
   */
  lock(resource: LockResources): Lock {
    const names = Array.isArray(resource)
      ? [...new Set(resource as readonly string[])]
      : [resource as string];
    if (names.length === 0) throw nameError('resource', 'is an empty list');
    return new Lock(
      this.#engine,
      names.map((name) => this.#engine.resources.lock(checkText('resource', name))),
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
    return new Lock(this.#engine, [this.#engine.resources.semaphore(checkText('name', name), permits)]);
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
    checkText('name', name);
    const { resources } = this.#engine;
    return {
      read: new Lock(this.#engine, [resources.readers(name)]),
      write: new Lock(this.#engine, [resources.writer(name)]),
    };
  }

  /**
   * Has one replica lead at a time. Nothing happens until it is looped over or started.
   *
   * @throws LockConfigurationError for what is no name, and for wrong options
   * @example
   * for await (const term of locks.leader('ranking')) {
   *   while (term.isLeading) {
   *     await refreshRanking(term.fence);
   *     await term.sleep('1m');
   *   }
   * }
   */
  leader(name: string, options?: LeaderOptions): Leader {
    return this.#leaders.leader(checkText('name', name), options);
  }

  /**
   * The lease under which the caller runs: within {@link using}, or a method with `@Locked`. Of several, the innermost that is not released;
   * also where it is lost.
   *
   * @param resource the innermost that has this resource, alone or with others. What writes with a fence asks by name: a lock around it,
   *   or within it, may be of something else
   * @throws LockNotHeldError elsewhere; LockConfigurationError for what is no name
   */
  current(resource?: string): Lease {
    if (resource !== undefined) checkText('resource', resource);
    const lease = currentLease(this.#engine, resource);
    if (lease) return lease;
    throw resource === undefined
      ? new LockNotHeldError()
      : new LockNotHeldError(`No lock of '${resource}' is held here`);
  }

  /**
   * Who holds a lock and who waits for it, all of one moment. A semaphore, or a side of a read/write lock, is passed as such.
   * One script, which keeps Redis for about 4 ms where a thousand hold it or wait.
   *
   * @throws LockConfigurationError for what is not one resource; LockUnavailableError where Redis could not be asked
   * @example
   * const { holders, waiters } = await locks.inspect('report:daily');
   */
  async inspect(lock: string | Lock): Promise<LockInspection> {
    return this.#engine.inspector.inspect(this.#resourceOf(lock));
  }

  /** What this process holds now, from its own memory. */
  held(): HeldResource[] {
    return this.#engine.inspector.held();
  }

  /**
   * Takes a lock away from all who hold it, and lets in who waits. A holder is told at once: its lease is lost, and its signal aborted with
   * the reason `'revoked'`. A process listens for that once it has waited for a lock, or held one for a third of its `ttl`; before, or cut
   * off, it finds out when it renews, with the reason `'taken'`, or, where it does not renew, when it releases. Until then it goes on beside
   * who is let in. A line in the log says who did it, to whom and why.
   *
   * @returns who held it
   * @throws LockConfigurationError for what is not one resource, and without a reason; LockUnavailableError where Redis did not answer: it
   *   may have been released all the same
   * @example
   * await locks.forceRelease('report:daily', { reason: 'hangs since the deployment of 14:00' });
   */
  async forceRelease(lock: string | Lock, options: ForceReleaseOptions): Promise<RevokedHolder[]> {
    const resource = this.#resourceOf(lock);
    return this.#engine.inspector.forceRelease(resource, checkText('reason', options?.reason));
  }

  /** What this process holds, and waits for. */
  stats(): LockStats {
    return this.#engine.stats();
  }

  #resourceOf(lock: string | Lock): Resource {
    const { owner, resources } = lock instanceof Lock ? lock : this.lock(lock);
    if (owner !== this.#engine) throw nameError('lock', 'was made by another LockService');
    const [resource, ...others] = resources;
    if (resource && others.length === 0) return resource;
    const names = resources.map(({ name }) => `'${name}'`).join(', ');
    throw nameError('lock', `is of several resources (${names}); one by one is accepted`);
  }

  /** Leaders hand over while the application is still whole. Who waits would keep the server from closing. */
  async beforeApplicationShutdown(): Promise<void> {
    const handedOver = this.#leaders.close();
    this.#engine.cancelWaits();
    await handedOver;
  }
}

function checkText(option: string, text: unknown): string {
  if (typeof text === 'string' && text.trim() !== '') return text;
  throw nameError(option, `${showValue(text)} is not a text with at least one letter`);
}

function nameError(option: string, message: string): LockConfigurationError {
  return new LockConfigurationError('LockService', [{ option, message }]);
}
