import { key } from 'rednest';
import { atlas } from '../atlas.keys.js';
import type { ListCitiesQuery, NearQuery } from './cities.queries.js';
import { foldName } from './name-index.js';

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

/** Keys in the cache. They need no prefix: the cache puts its own before them. */
export const cachedCities = {
  list: ({ q = '', country = 'world', limit }: ListCitiesQuery) =>
    key`list:${foldName(q)}:${country}:${limit}`,
  near: ({ lat, lng, km, limit }: NearQuery) => key`near:${lat}:${lng}:${km}:${limit}`,
};

/** Tags in the cache, by which an update takes back what it makes wrong. */
export const cityTags = {
  /** Everything that shows this city by itself. */
  city: (id: number) => key`city:${id}`,
  /** Every list that cities may be in. */
  lists: 'cities:lists',
};
