import { atlas } from '../../atlas.keys.js';

/**
 * The hash tag `{visits}` puts these keys into one slot of a Cluster, so that one transaction may write both. The leaderboard is one
 * key, and so on one node, anyhow: the tag takes away no spread that there was.
 */
export const visitKeys = {
  /** Sorted set: city ids by number of visits. */
  leaderboard: atlas.key`{visits}:leaderboard`,
  /** Hash of one day (`2026-11-30`, UTC): visits by city id. */
  day: (date: string) => atlas.key`{visits}:day:${date}`,
  /** String: the ranking of the day as JSON. */
  ranking: atlas.key`{visits}:ranking`,
};
