import type { Resource } from '../server/resource.js';
import type { Snapshot } from './snapshot.js';

export type LockKind = 'lock' | 'semaphore' | 'readWrite';

/** Of a read/write lock, the side. */
export type LockMode = 'read' | 'write';

/** Who holds a resource, and who waits for it, all of one moment. Durations are milliseconds by the server's clock. */
export interface LockInspection {
  readonly resource: string;
  readonly kind: LockKind;
  /** The last that was given out; undefined where none was, or none within the last hour. */
  readonly fence: number | undefined;
  /** Of a semaphore, how many can be held at once: the smallest number that its holders, those who asked lately, and the caller know of. */
  readonly permits: number | undefined;
  /** The first to have it comes first. */
  readonly holders: readonly LockHolder[];
  /** In the order in which they are let in. Who has not told for too long that it still waits is not among them. */
  readonly waiters: readonly LockWaiter[];
}

export interface LockHolder {
  /** The process that holds it: see `LockRootOptions.holder`. */
  readonly holder: string;
  /** The name of the lease at the server. */
  readonly token: string;
  readonly fence: number;
  /** Until it is lost, unless it is renewed before. */
  readonly remaining: number;
  /**
   * Since it was granted; of several resources that are held together, since the last of them was. It is told by the fence, which is the
   * microsecond of the grant: 0 for as long as the server's clock is behind that, after it was set back.
   */
  readonly heldFor: number;
  readonly mode: LockMode | undefined;
}

export interface LockWaiter {
  /** The process that waits. */
  readonly waiter: string;
  readonly token: string;
  /** 1 for the next to be let in. */
  readonly position: number;
  readonly waitingFor: number;
  readonly mode: LockMode | undefined;
}

/** What this process holds, from its own memory. Durations are milliseconds by its monotonic clock. */
export interface HeldResource {
  readonly resource: string;
  readonly kind: LockKind;
  readonly mode: LockMode | undefined;
  readonly fence: number;
  /** Until it is lost, unless it is renewed before. */
  readonly remaining: number;
  readonly heldFor: number;
}

export function inspectionOf(resource: Resource, snapshot: Snapshot): LockInspection {
  const { now, fence, limit = Infinity } = snapshot;
  const known = [resource, ...snapshot.holders].map(({ capacity }) => capacity);
  return {
    resource: resource.name,
    kind: kindOf(resource),
    fence,
    permits: resource.limited ? Math.min(limit, ...known) : undefined,
    holders: snapshot.holders.map(({ token, ends, fence: its, weight }) => ({
      holder: holderName(token),
      token,
      fence: its,
      remaining: milliseconds(ends - now),
      heldFor: milliseconds(now - its),
      mode: modeOf(resource, weight),
    })),
    waiters: snapshot.waiters.map(({ token, arrival, weight }, index) => ({
      waiter: holderName(token),
      token,
      position: index + 1,
      waitingFor: milliseconds(now - arrival),
      mode: modeOf(resource, weight),
    })),
  };
}

export function kindOf({ limited, capacity }: Resource): LockKind {
  if (limited) return 'semaphore';
  return capacity === 1 ? 'lock' : 'readWrite';
}

export function modeOf(resource: Resource, weight: number): LockMode | undefined {
  if (kindOf(resource) !== 'readWrite') return undefined;
  return weight === resource.capacity ? 'write' : 'read';
}

/** A token is the name of a process, what tells it from others of that name, and a number. */
export function holderName(token: string): string {
  return token.slice(0, token.lastIndexOf(':'));
}

function milliseconds(microseconds: number): number {
  return Math.max(0, Math.ceil(microseconds / 1_000));
}
