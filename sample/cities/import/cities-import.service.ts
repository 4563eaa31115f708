import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CacheService, InjectRedis, type RedisClient } from 'rednest';
import { cityKeys } from '../cities.keys.js';
import { CitySource } from './city-source.js';
import { importCities, indexKeys } from './import-cities.js';
import { showProgress } from './import-progress.js';

/** How the cities are laid out in Redis. To be raised with each change, so that the next start imports them again. */
const LAYOUT = 1;

/** What stands in the marker. */
interface ImportedData {
  /** Edition of the data, and layout of the keys. */
  version: string;
  /** Number of cities. */
  count: number;
}

/**
 * Brings the cities into Redis before the HTTP server listens, unless they are there. The marker that says so is written last:
 * without it an import was interrupted, and is repeated.
 */
@Injectable()
export class CitiesImportService implements OnApplicationBootstrap {
  readonly #redis: RedisClient;
  readonly #cache: CacheService;
  readonly #source: CitySource;
  readonly #logger = new Logger(CitiesImportService.name);

  constructor(@InjectRedis() redis: RedisClient, cache: CacheService, source: CitySource) {
    this.#redis = redis;
    this.#cache = cache;
    this.#source = source;
  }

  async onApplicationBootstrap(): Promise<void> {
    const version = `${this.#source.version}/${LAYOUT}`;
    const present = await this.#present();
    if (present?.version === version) {
      this.#logger.log(`${present.count} cities (edition ${version}) are in Redis already`);
      return;
    }
    await this.#import(version, present);
  }

  async #import(version: string, previous: ImportedData | undefined): Promise<void> {
    const start = performance.now();
    const cities = this.#source.load();
    // Another edition may have renamed or dropped a city, and adding to an index takes nothing out of it.
    if (previous) await Promise.all(indexKeys(cities).map((key) => this.#redis.unlink(key)));
    const progress = showProgress(cities.length, this.#logger);
    try {
      await importCities(this.#redis, cities, { onProgress: (done) => progress.advance(done) });
    } finally {
      progress.stop();
    }
    const imported: ImportedData = { version, count: cities.length };
    await this.#redis.set(cityKeys.imported, JSON.stringify(imported));
    // Replicas that run already may have cached the edition before.
    await this.#cache.clear();
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    this.#logger.log(`${cities.length} cities (edition ${version}) imported in ${seconds} s`);
  }

  async #present(): Promise<ImportedData | undefined> {
    const marker = await this.#redis.get(cityKeys.imported);
    return marker === null ? undefined : (JSON.parse(marker) as ImportedData);
  }
}
