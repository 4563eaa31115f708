import { namespace, RedisError, type RedisConnection } from '../redis/index.js';
import type { ConnectionUser } from '../redis/shared.js';
import { HeldLease, type HeldLeaseParts } from './lease/held-lease.js';
import { join, type Held } from './lease/joined-lease.js';
import type { Hold } from './lease/hold.js';
import { Lease } from './lease/lease.js';
import { LockInspector } from './inspection/lock-inspector.js';
import { LeaseKeeper } from './lease/lease-keeper.js';
import { letGo } from './lease/let-go.js';
import { leaseOf } from './lease/lease-context.js';
import { LockCancelledError, LockUnavailableError } from './lock-errors.js';
import { LockEventPublisher } from './lock-events.js';
import type { ResolvedLockOptions, ResolvedRootOptions } from './options/resolved-lock-options.js';
import { lateError, MOST_LATE, type Busy } from './waiting/attempt.js';
import { Attempts } from './waiting/attempts.js';
import { LONGEST_TERM } from './waiting/terms.js';
import { WakeChannel } from './waiting/wake-channel.js';
import { Waiters } from './waiting/waiters.js';
import { LockServer } from './server/lock-server.js';
import { keysOf, Resources, type Resource } from './server/resource.js';

/** What this process holds, and waits for. */
export interface LockStats {
  /** Resources that are held. */
  readonly held: number;
  /** Acquisitions that wait in a queue. */
  readonly waiting: number;
}

/** All that the locks of a connection stand on. */
export class LockEngine implements ConnectionUser {
  readonly options: ResolvedRootOptions;
  readonly resources: Resources;
  readonly server: LockServer;
  readonly events: LockEventPublisher;
  readonly inspector: LockInspector;
  readonly #keeper: LeaseKeeper;
  readonly #waiters: Waiters;
  readonly #attempts: Attempts;
  readonly #leaseParts: HeldLeaseParts;
  #isStopped = false;

  constructor(connection: RedisConnection, options: ResolvedRootOptions) {
    this.options = options;
    this.resources = new Resources(namespace(options.namespace));
    this.events = new LockEventPublisher(connection.id, options.namespace);
    const server = new LockServer(connection, options);
    const keeper = new LeaseKeeper(server, () => void channel.subscribe().catch(() => undefined));
    const waiters = new Waiters(server);
    const channel: WakeChannel = new WakeChannel(connection, server, {
      wake: ({ token, fence, state }) => {
        if (fence === 0) return this.#revoke(token);
        const isOurs = waiters.push(token, fence) || keeper.find(token) || this.#attempts.push(token);
        // It has stopped waiting.
        if (!isOurs) server.releaseSoon(keysOf(state), token, performance.now() + LONGEST_TERM);
      },
      gap: () => waiters.pollNow(),
    });
    this.server = server;
    this.inspector = new LockInspector({ server, keeper, events: this.events });
    this.#keeper = keeper;
    this.#waiters = waiters;
    this.#attempts = new Attempts({ server, keeper, waiters, channel });
    this.#leaseParts = { server, keeper, events: this.events };
  }

  /** How many resources this process holds, and for how many it waits. */
  stats(): LockStats {
    return { held: this.#keeper.size, waiting: this.#waiters.size };
  }

  /**
   * Acquires all of the resources, or none. Whoever wants several acquires them in the same order, so that nobody waits for one who waits
   * for him.
   *
   * @throws LockUnavailableError, LockCancelledError
   */
  acquire(resources: readonly Resource[], options: ResolvedLockOptions): Promise<Lease | Busy> {
    const startedAt = performance.now();
    if (this.#isStopped) return Promise.reject(stoppedError(resources));
    const missing = options.reentrant ? resources.filter((each) => !leaseOf(this, each)) : resources;
    const before = missing.length < resources.length ? this.#heldOf(resources) : [];
    if (missing.length === 0) return enterAgain(before, options);
    const until = startedAt + options.wait;
    const acquired =
      missing.length === 1
        ? this.#attempts.acquire(missing[0]!, options, until)
        : this.#acquireAll(missing, options, until);
    return acquired.then((outcome) => {
      if ('isBusy' in outcome) return outcome;
      const holds = (Array.isArray(outcome) ? outcome : [outcome]) as [Hold, ...Hold[]];
      if (this.#isStopped) {
        for (const hold of holds) this.#giveBack(hold);
        throw stoppedError(resources);
      }
      const held = new HeldLease(this.#leaseParts, holds, options.atLeastFor);
      const lease = new Lease(before.length === 0 ? held : join([held, ...before]));
      this.#tell(lease, holds, startedAt);
      return lease;
    });
  }

  /** What the caller's context has of them. */
  #heldOf(resources: readonly Resource[]): Held[] {
    return resources.flatMap((each) => leaseOf(this, each)?.held ?? []);
  }

  #tell({ resource, fence }: Lease, holds: readonly Hold[], startedAt: number): void {
    if (!this.events.has('acquired')) return;
    const waited = performance.now() - startedAt;
    const queued = holds.some((hold) => hold.wasQueued);
    this.events.publish('acquired', { resource, fence, waited, queued });
  }

  /** Ends all waits; who waits from now on is refused. */
  cancelWaits(): void {
    this.#attempts.cancelAll(shuttingDown());
  }

  /** What is to stay taken for longer, with `atLeastFor`, does. Nothing is acquired any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.cancelWaits();
    const isReleased = this.options.onShutdown === 'release';
    for (const hold of this.#keeper.stop()) {
      if (isReleased || hold.keepUntil > hold.deadline) letGo(this.server, hold).catch(() => undefined);
    }
    await this.server.settled();
  }

  async #acquireAll(
    resources: readonly Resource[],
    options: ResolvedLockOptions,
    until: number,
  ): Promise<Hold[] | Busy> {
    const ordered = resources.toSorted((one, other) => (one.keys[0] < other.keys[0] ? -1 : 1));
    const ttl = Math.min(options.ttl, options.atMostFor);
    // The first are held for as long as the last are waited for, however long they may be held afterwards.
    const meanwhile: ResolvedLockOptions = { ...options, ttl, renew: true, atMostFor: Infinity };
    for (let failures = 1; ; failures++) {
      const holds: Hold[] = [];
      let isComplete = false;
      try {
        for (const resource of ordered) {
          const outcome = await this.#attempts.acquire(resource, meanwhile, until);
          if ('isBusy' in outcome) return outcome;
          holds.push(outcome);
        }
        isComplete = await this.#unite(holds, options);
        if (isComplete) return holds;
      } finally {
        if (!isComplete) for (const hold of holds) this.#giveBack(hold);
      }
      if (failures >= MOST_LATE && performance.now() >= until)
        throw new LockUnavailableError(ordered[0]!.name, lateError(ttl));
    }
  }

  /** Gives all the same fence, and their whole time anew. @returns whether all are held still */
  async #unite(holds: readonly Hold[], options: ResolvedLockOptions): Promise<boolean> {
    const fence = Math.max(...holds.map((hold) => hold.fence));
    for (const hold of holds) {
      hold.fence = fence;
      hold.begin(options);
    }
    try {
      await this.#keeper.renew(holds);
    } catch (error) {
      if (error instanceof RedisError) throw new LockUnavailableError(holds[0]!.resource.name, error);
      throw error;
    }
    return holds.every((hold) => this.#keeper.check(hold));
  }

  /** One that was let in a moment ago is kept only after this turn of the event loop. */
  #revoke(token: string): void {
    if (!this.#keeper.revoke(token)) setImmediate(() => this.#keeper.revoke(token));
  }

  #giveBack(hold: Hold): void {
    this.#keeper.remove(hold);
    this.server.releaseSoon(hold.resource.keys, hold.token, hold.deadline);
  }
}

function enterAgain(held: readonly Held[], { signal }: ResolvedLockOptions): Promise<Lease> {
  const joined = join(held);
  if (signal?.aborted) return Promise.reject(new LockCancelledError(joined.resource, signal.reason));
  return Promise.resolve(new Lease(joined));
}

function stoppedError(resources: readonly Resource[]): LockCancelledError {
  return new LockCancelledError(resources.map(({ name }) => name).join(', '), shuttingDown());
}

function shuttingDown(): Error {
  return new Error('The application is shutting down');
}
