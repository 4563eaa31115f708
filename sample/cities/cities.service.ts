import { Injectable, NotFoundException } from '@nestjs/common';
import { Cacheable, InjectRedis, type RedisClient } from 'rednest';
import { cachedCities, cityKeys, cityTags, type Scope } from './cities.keys.js';
import type { ListCitiesQuery, NearQuery } from './cities.queries.js';
import type { City, NearbyCity } from './city.dto.js';
import {
  byPopulation,
  foldName,
  NAME_TIERS,
  nameRange,
  parseNameMember,
  type NameEntry,
} from './name-index.js';

/** Reads cities and searches them: strings, sorted sets by score and by name, the geo index. */
@Injectable()
export class CitiesService {
  readonly #redis: RedisClient;

  constructor(@InjectRedis() redis: RedisClient) {
    this.#redis = redis;
  }

  /** @throws NotFoundException */
  async findOne(id: number): Promise<City> {
    const city = await this.#redis.get(cityKeys.city(id));
    if (city === null) throw new NotFoundException(`There is no city ${id}`);
    return JSON.parse(city) as City;
  }

  /** @throws NotFoundException */
  async assertExists(id: number): Promise<void> {
    const found = await this.#redis.exists(cityKeys.city(id));
    if (found === 0) throw new NotFoundException(`There is no city ${id}`);
  }

  /** How many cities there are. */
  count(): Promise<number> {
    return this.#redis.zcard(cityKeys.population('world'));
  }

  /**
   * The cities of these ids, in their order; an id without a city is left out. One GET for each: those of one turn of the event loop
   * go out as one pipeline, on a Cluster to each node its own, where an MGET over several slots would be refused.
   */
  async findMany(ids: readonly number[]): Promise<City[]> {
    const cities = await Promise.all(ids.map((id) => this.#redis.get(cityKeys.city(id))));
    return cities.filter((city) => city !== null).map((city) => JSON.parse(city) as City);
  }

  /** Most populous cities first: those whose name begins with `q`, or all, of a country or of the world. */
  @Cacheable({ key: (query) => cachedCities.list(query), tags: [cityTags.lists] })
  async list({ q = '', country: scope = 'world', limit }: ListCitiesQuery): Promise<City[]> {
    const prefix = foldName(q);
    return this.findMany(
      prefix === '' ? await this.#mostPopulous(scope, limit) : await this.#search(prefix, scope, limit),
    );
  }

  /** Nearest cities first. */
  @Cacheable({ key: (query) => cachedCities.near(query), tags: [cityTags.lists] })
  async near({ lat, lng, km, limit }: NearQuery): Promise<NearbyCity[]> {
    // The same meridian, but asked for 180 Redis misses what lies east of it.
    const longitude = lng === 180 ? -180 : lng;
    const found = (await this.#redis.geosearch(
      cityKeys.positions,
      ...(['FROMLONLAT', longitude, lat, 'BYRADIUS', km, 'km', 'ASC', 'COUNT', limit, 'WITHDIST'] as const),
    )) as [id: string, distance: string][];
    const distances = new Map(found.map(([id, distance]) => [Number(id), Number(distance)]));
    const cities = await this.findMany([...distances.keys()]);
    return cities.map((city) => Object.assign(city, { distanceKm: distances.get(city.id)! }));
  }

  async #mostPopulous(scope: Scope, limit: number): Promise<number[]> {
    const ids = await this.#redis.zrange(cityKeys.population(scope), 0, String(limit - 1), 'REV');
    return ids.map(Number);
  }

  async #search(prefix: string, scope: Scope, limit: number): Promise<number[]> {
    const found: NameEntry[] = [];
    for (const tier of NAME_TIERS) {
      const members = await this.#redis.zrange(cityKeys.names(scope, tier), ...nameRange(prefix), 'BYLEX');
      found.push(...members.map(parseNameMember).toSorted(byPopulation));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit).map(({ id }) => id);
  }
}
