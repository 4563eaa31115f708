import { AsyncLocalStorage } from 'node:async_hooks';
import type { Resource } from '../server/resource.js';
import type { Lease } from './lease.js';

interface Holding {
  /** Whose lease it is: applications of one process do not see each other's. */
  readonly owner: object;
  /** Undefined when it is released. */
  lease: Lease | undefined;
  /** Without those that were released meanwhile. */
  outer: Holding | undefined;
}

const context = new AsyncLocalStorage<Holding>();

/** Runs the routine of a lease, so that {@link currentLease} finds it in all that the routine calls. */
export function whileHolding<T>(owner: object, lease: Lease, routine: () => T): T {
  return context.run({ owner, lease, outer: innermost() }, routine);
}

/**
 * The lease under which the caller runs, the innermost that is not released.
 *
 * @param resource the name of what it has, among others
 */
export function currentLease(owner: object, resource?: string): Lease | undefined {
  for (let held = innermost(); held; held = held.outer) {
    const { lease } = held;
    if (held.owner !== owner || !lease) continue;
    if (resource === undefined || lease.resources.includes(resource)) return lease;
  }
  return undefined;
}

/** The lease of the caller's context that has the resource, and is not lost. */
export function leaseOf(owner: object, { keys, weight }: Resource): Lease | undefined {
  for (let held = innermost(); held; held = held.outer) {
    const { lease } = held;
    if (held.owner !== owner || !lease || lease.remaining === 0) continue;
    if (lease.held.holds.some(({ resource }) => resource.keys[0] === keys[0] && resource.weight >= weight))
      return lease;
  }
  return undefined;
}

/**
 * What goes on after its lease was released, and acquires the next, would keep all leases of the past in memory. Those that are over are
 * taken out of the chain, and let go of: a lease has promises, and each promise has the context in which it was made.
 */
function innermost(): Holding | undefined {
  const own = context.getStore();
  for (let held = own; held; held = held.outer) held.outer = unreleased(held.outer);
  return unreleased(own);
}

function unreleased(held: Holding | undefined): Holding | undefined {
  while (held && isReleased(held)) held = held.outer;
  return held;
}

function isReleased(held: Holding): boolean {
  if (held.lease?.isReleased) held.lease = undefined;
  return held.lease === undefined;
}
