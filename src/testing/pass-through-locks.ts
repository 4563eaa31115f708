import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Provider } from '@nestjs/common';
import type { LockEngine, LockStats } from '../lock/lock-engine.js';
import { Resources, type Resource } from '../lock/server/resource.js';
import { inspectionOf, type LockInspection } from '../lock/inspection/lock-inspection.js';
import type { LockInspector } from '../lock/inspection/lock-inspector.js';
import type { HeldLease } from '../lock/lease/held-lease.js';
import { Lease } from '../lock/lease/lease.js';
import { LockEventPublisher } from '../lock/lock-events.js';
import { LockService } from '../lock/lock.service.js';
import { resolveRootOptions } from '../lock/options/resolve-lock-options.js';
import { namespace } from '../redis/index.js';

/**
 * Providers of locks that keep nobody out, for unit tests without Redis: {@link passThroughLockService}, where `LockModule` is not imported.
 *
 * @example
 * const testing = await Test.createTestingModule({ providers: [ToursService, ...passThroughLocks()] }).compile();
 */
export function passThroughLocks(): Provider[] {
  return [{ provide: LockService, useFactory: passThroughLockService }];
}

/**
 * Locks that keep nobody out: methods with `@Locked` just run, and so do routines of `LockService.using`. Each acquisition succeeds, in the
 * next turn of the event loop. Its lease is never lost: the `signal` is not aborted, `fence` rises, `remaining` is `Infinity`;
 * `LockService.current()` finds it. Options are checked, and otherwise without effect.
 *
 * @example
 * // Where LockModule is imported; its connection need not be there then.
 * Test.createTestingModule({ imports: [AppModule] }).overrideProvider(LockService).useValue(passThroughLockService());
 */
export function passThroughLockService(): LockService {
  return new LockService(passThroughEngine());
}

/** All of an engine that does without a server; the rest of it is private. */
type EngineFace = Omit<Pick<LockEngine, keyof LockEngine>, 'server' | 'inspector'> & {
  readonly inspector: Pick<LockInspector, keyof LockInspector>;
};

function passThroughEngine(): LockEngine {
  return new PassThroughEngine() as EngineFace as LockEngine;
}

class PassThroughEngine implements EngineFace {
  readonly options = resolveRootOptions({});
  readonly resources = new Resources(namespace(this.options.namespace));
  readonly events = new LockEventPublisher('pass-through', this.options.namespace);
  readonly inspector = new PassThroughInspector();
  #fence = 0;

  async acquire(resources: readonly Resource[]): Promise<Lease> {
    // A loop over acquisitions would keep all else from its turn.
    await nextTurn();
    return new Lease(heldForEver(resources, ++this.#fence));
  }

  stats(): LockStats {
    return { held: 0, waiting: 0 };
  }

  cancelWaits(): void {}

  async stop(): Promise<void> {}
}

class PassThroughInspector implements Pick<LockInspector, keyof LockInspector> {
  async inspect(resource: Resource): Promise<LockInspection> {
    return inspectionOf(resource, { now: 0, fence: undefined, limit: undefined, holders: [], waiters: [] });
  }

  held(): [] {
    return [];
  }

  async forceRelease(): Promise<[]> {
    return [];
  }
}

function heldForEver(resources: readonly Resource[], fence: number): HeldLease {
  const names = resources.map(({ name }) => name);
  const { signal } = new AbortController();
  const held: Omit<HeldLease, 'holds'> = {
    resource: names.join(', '),
    resources: names,
    fence,
    signal,
    lost: undefined,
    remaining: Infinity,
    share: () => undefined,
    extend: () => Promise.resolve(Infinity),
    release: () => Promise.resolve('released'),
    lose: () => undefined,
  };
  return held as HeldLease;
}
