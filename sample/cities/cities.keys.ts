import { atlas } from '../atlas.keys.js';

/** The whole world, or the ISO code of a country: each has indexes of its own. */
export type Scope = 'world' | (string & {});

export const cityKeys = {
  /** String: the city as JSON. */
  city: (id: number) => atlas.key`city:${id}`,
  /** Geo index (a sorted set) of all city ids. */
  positions: atlas.key`cities:positions`,
  /** Sorted set: city ids by population. */
  population: (scope: Scope) => atlas.key`cities:population:${scope}`,
  /** Sorted set in lexicographic order: see `name-index.ts`. */
  names: (scope: Scope, tier: number) => atlas.key`cities:names:${scope}:${tier}`,
  /** String: which data the keys above hold. Written when they are complete. */
  imported: atlas.key`cities:imported`,
};
