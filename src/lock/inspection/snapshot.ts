import { defineScript } from '../../redis/index.js';
import type { Resource } from '../server/resource.js';

/** Who holds a resource. Moments are microseconds of the server's clock. */
export interface Holder {
  readonly token: string;
  readonly ends: number;
  readonly fence: number;
  readonly weight: number;
  readonly capacity: number;
}

/** Who waits for it. */
export interface Waiter {
  readonly token: string;
  readonly arrival: number;
  readonly weight: number;
}

/** What the server knows of a resource at a moment. Whose time is over, and who is taken for dead, is left out. */
export interface Snapshot {
  readonly now: number;
  /** The last that was given out. */
  readonly fence: number | undefined;
  /** Of a semaphore, the smallest number of permits that was asked for lately. */
  readonly limit: number | undefined;
  readonly holders: readonly Holder[];
  /** In the order in which they are let in. */
  readonly waiters: readonly Waiter[];
}

type Raw = readonly [time: string[], state: string[], queue: string[], waiters: string[]];

export const inspectScript = defineScript<Resource, Snapshot>({
  lua: new URL('./inspect.lua', import.meta.url),
  keys: ({ keys }) => keys,
  reply: (raw) => snapshotOf(raw as Raw),
});

function snapshotOf([[seconds, microseconds], state, queue, waiters]: Raw): Snapshot {
  const now = Number(seconds) * 1e6 + Number(microseconds);
  const { fence, limit, ...holders } = Object.fromEntries(pairs(state));
  const [permits, until] = numbers(limit);
  return {
    now,
    fence: fence === undefined ? undefined : Number(fence),
    limit: until !== undefined && until > now ? permits : undefined,
    holders: Object.entries(holders)
      .map(([token, text]) => holderOf(token, text))
      .filter(({ ends }) => ends > now)
      .toSorted((one, other) => one.fence - other.fence),
    waiters: liveWaiters(queue, new Map(pairs(waiters)), now),
  };
}

function holderOf(token: string, text: string): Holder {
  const [ends = 0, fence = 0, weight = 0, capacity = 0] = numbers(text);
  return { token, ends, fence, weight, capacity };
}

function liveWaiters(queue: readonly string[], waiters: ReadonlyMap<string, string>, now: number): Waiter[] {
  return pairs(queue).flatMap(([token, arrival]) => {
    const [until = 0, weight = 0] = numbers(waiters.get(token));
    return until > now ? [{ token, arrival: Number(arrival), weight }] : [];
  });
}

function numbers(text = ''): number[] {
  return text === '' ? [] : text.split(' ').map(Number);
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[index * 2]!, flat[index * 2 + 1]!]);
}
