import { atlas } from '../../atlas.keys.js';

/** Days that are kept apart; after them a day's counters expire. */
export const DAYS_KEPT = 40;

/**
 * The hash tag `{city.viewed}`, which is the topic of the event, puts these keys into the slot of a Cluster in which the event lies: one
 * transaction counts a view and acknowledges it. The leaderboard is one key, and so on one node, anyhow: the tag takes away no spread
 * that there was.
 */
export const visitKeys = {
  /** Sorted set: city ids by number of visits. */
  leaderboard: atlas.key`{city.viewed}:leaderboard`,
  /** Hash of one day (`2026-11-30`, UTC): visits by city id. */
  day: (date: string) => atlas.key`{city.viewed}:day:${date}`,
  /** String: the ranking of the day as JSON. */
  ranking: atlas.key`{city.viewed}:ranking`,
};
