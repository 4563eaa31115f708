import type { Grant } from './protocol.js';

export interface Window {
  readonly begin: number;
  readonly end: number;
}

/** What grants show of a time, in milliseconds. */
export interface Timeline {
  /** How many there were. */
  readonly grants: number;
  /** From the call of a release to the next grant, wherever the next one had asked by then. */
  readonly handOvers: readonly number[];
  /** How often a grant came before the release of the one before was called: two held the resource. */
  readonly overlaps: number;
  /** From asking to the grant, also of those who waited still when the time was over. */
  readonly waits: readonly number[];
}

export function timelineOf(all: readonly Grant[], { begin, end }: Window): Timeline {
  const ordered = all.toSorted((one, other) => one.grantedAt - other.grantedAt);
  const isWithin = ({ grantedAt }: Grant) => grantedAt >= begin && grantedAt < end;
  const handOvers: number[] = [];
  let overlaps = 0;
  let releasedAt = -Infinity;
  for (const grant of ordered) {
    if (isWithin(grant)) {
      if (grant.grantedAt < releasedAt) overlaps++;
      else if (grant.askedAt <= releasedAt) handOvers.push(grant.grantedAt - releasedAt);
    }
    releasedAt = Math.max(releasedAt, grant.releasedAt);
  }
  const waits = all
    .filter(({ askedAt, grantedAt }) => grantedAt >= begin && askedAt < end)
    .map(({ askedAt, grantedAt }) => grantedAt - askedAt);
  return { grants: all.filter(isWithin).length, handOvers, overlaps, waits };
}
