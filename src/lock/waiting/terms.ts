import type { Waiting } from '../server/scripts.js';

/** Who is handed a resource has it for so many milliseconds at first: until it renews, it may be dead. */
export const LONGEST_TERM = 2_500;

/** Who waits is taken for dead when it has not told of itself for a term and two polls, and for at least so many milliseconds. */
const SHORTEST_PATIENCE = 1_000;

/** And where leases are long, at least for this part of a ttl, up to so many milliseconds: who waits keeps its place during a failover. */
const FAILOVER = { part: 0.6, longest: 6_000 };

/** How who wants a lease of `ttl` milliseconds waits. */
export function termsOf(ttl: number): Waiting {
  const term = Math.min(ttl, LONGEST_TERM);
  const failover = Math.min(ttl * FAILOVER.part, FAILOVER.longest);
  return { term, patience: Math.ceil(Math.max(SHORTEST_PATIENCE, term * 1.4, failover)) };
}
