import { AsyncLocalStorage } from 'node:async_hooks';
import type { Resource } from '../engine/resource.js';
import type { Lease } from './lease.js';

interface Held {
  /** Whose lease it is: applications of one process do not see each other's. */
  readonly owner: object;
  readonly lease: Lease;
  readonly outer: Held | undefined;
}

const context = new AsyncLocalStorage<Held>();

/** Runs the routine of a lease, so that {@link currentLease} finds it in all that the routine calls. */
export function whileHolding<T>(owner: object, lease: Lease, routine: () => T): T {
  return context.run({ owner, lease, outer: context.getStore() }, routine);
}

/** The lease under which the caller runs, the innermost. */
export function currentLease(owner: object): Lease | undefined {
  for (const held of chain()) if (held.owner === owner) return held.lease;
  return undefined;
}

/** The lease of the caller's context that has the resource, and is not lost. */
export function leaseOf(owner: object, { keys, weight }: Resource): Lease | undefined {
  for (const { owner: its, lease } of chain()) {
    if (its !== owner || lease.remaining === 0) continue;
    if (lease.held.holds.some(({ resource }) => resource.keys[0] === keys[0] && resource.weight >= weight))
      return lease;
  }
  return undefined;
}

function* chain(): Generator<Held> {
  for (let held = context.getStore(); held; held = held.outer) yield held;
}
