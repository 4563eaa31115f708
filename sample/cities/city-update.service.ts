import { Injectable } from '@nestjs/common';
import { CacheEvict, EventBus, InjectRedis, type RedisClient } from 'rednest';
import { cityKeys, cityTags } from './cities.keys.js';
import { CitiesService } from './cities.service.js';
import type { City, CityUpdate } from './city.dto.js';
import { CityUpdated } from './city-updated.event.js';
import { nameMember, nameTier } from './name-index.js';

/** Changes cities, takes back what was cached of them, and tells all replicas. */
@Injectable()
export class CityUpdateService {
  readonly #redis: RedisClient;
  readonly #bus: EventBus;
  readonly #cities: CitiesService;

  constructor(@InjectRedis() redis: RedisClient, bus: EventBus, cities: CitiesService) {
    this.#redis = redis;
    this.#bus = bus;
    this.#cities = cities;
  }

  /** @throws NotFoundException */
  @CacheEvict({ tags: (id) => [cityTags.city(id), cityTags.lists] })
  async update(id: number, { population }: CityUpdate): Promise<City> {
    const city = await this.#cities.findOne(id);
    const before = { id, population: city.population };
    city.population = population;
    // The indexes lie in other slots of a Cluster than the city: no transaction covers them all. Repeated, it comes out the same.
    await this.#redis.set(cityKeys.city(id), JSON.stringify(city));
    for (const scope of ['world', city.country]) {
      await Promise.all([
        this.#redis.zadd(cityKeys.population(scope), population, id),
        this.#redis.zrem(cityKeys.names(scope, nameTier(before.population)), nameMember(city.name, before)),
      ]);
      await this.#redis.zadd(cityKeys.names(scope, nameTier(population)), 0, nameMember(city.name, city));
    }
    // Last, when it is true. Where it fails, so does the update: who repeats that tells it, too.
    await this.#bus.publish(CityUpdated, { city: id, name: city.name, population });
    return city;
  }
}
