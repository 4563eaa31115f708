import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CacheService, InjectRedis, type Lease, LockService, type RedisClient } from 'rednest';
import { showProgress } from '../../common/progress.js';
import { cityKeys } from '../cities.keys.js';
import type { City } from '../city.dto.js';
import { CitySource } from './city-source.js';
import { importCities, indexKeys } from './import-cities.js';
import type { ImportProgress, ImportResult } from './import.queue.js';

/** How the cities are laid out in Redis. To be raised with each change, so that the next start imports them again. */
const LAYOUT = 1;

/** What one replica holds while it imports. */
const LOCK = 'import';

/** More than an import takes, on a slow machine too. The lease needs no such guess: it is renewed for as long as the import runs. */
const LONGEST_WAIT = '10m';

/** Told how far it is, after each batch. */
type ProgressListener = (progress: ImportProgress) => void | Promise<void>;

/**
 * Brings the cities into Redis before the HTTP server listens, unless they are there. The marker that says so is written last:
 * without it an import was interrupted, and is repeated. Of replicas that start at once one does it, and the others wait for it.
 * What was imported before is brought up to date by {@link refresh}.
 */
@Injectable()
export class CitiesImportService implements OnApplicationBootstrap {
  readonly #redis: RedisClient;
  readonly #cache: CacheService;
  readonly #locks: LockService;
  readonly #source: CitySource;
  readonly #logger = new Logger(CitiesImportService.name);

  constructor(
    @InjectRedis() redis: RedisClient,
    cache: CacheService,
    locks: LockService,
    source: CitySource,
  ) {
    this.#redis = redis;
    this.#cache = cache;
    this.#locks = locks;
    this.#source = source;
  }

  async onApplicationBootstrap(): Promise<void> {
    const version = `${this.#source.version}/${LAYOUT}`;
    if (await this.#isPresent(version)) return;
    const lease = await this.#turn();
    try {
      // Who had to wait finds, as a rule, that the one before has done it.
      if (!(await this.#isPresent(version))) await this.#import(version);
    } finally {
      await lease.release();
    }
  }

  /** Imports all cities again, whatever is there: what was changed by hand is put back. It may be called again where it was interrupted. */
  async refresh(onProgress: ProgressListener): Promise<ImportResult> {
    const lease = await this.#turn();
    try {
      return await this.#import(`${this.#source.version}/${LAYOUT}`, onProgress);
    } finally {
      await lease.release();
    }
  }

  async #turn(): Promise<Lease> {
    const lease = await this.#locks.tryAcquire(LOCK);
    if (lease) return lease;
    this.#logger.log('Another replica imports the cities: waiting for it');
    return this.#locks.acquire(LOCK, { wait: LONGEST_WAIT });
  }

  async #isPresent(version: string): Promise<boolean> {
    const present = await this.#imported();
    if (present?.version !== version) return false;
    this.#logger.log(`${present.count} cities (edition ${version}) are in Redis already`);
    return true;
  }

  async #import(version: string, onProgress?: ProgressListener): Promise<ImportResult> {
    const start = performance.now();
    const cities = this.#source.load();
    const before = await this.#imported();
    // Another edition may have renamed or dropped a city, and adding to an index takes nothing out of it.
    if (before && before.version !== version)
      await Promise.all(indexKeys(cities).map((key) => this.#redis.unlink(key)));
    await this.#write(cities, onProgress);
    const imported: ImportResult = { version, count: cities.length };
    await this.#redis.set(cityKeys.imported, JSON.stringify(imported));
    // Replicas that run already may have cached what was there before.
    await this.#cache.clear();
    const seconds = ((performance.now() - start) / 1_000).toFixed(1);
    this.#logger.log(`${cities.length} cities (edition ${version}) imported in ${seconds} s`);
    return imported;
  }

  async #write(cities: readonly City[], onProgress?: ProgressListener): Promise<void> {
    const total = cities.length;
    const progress = showProgress('Importing cities', total, (line) => this.#logger.log(line));
    try {
      await importCities(this.#redis, cities, {
        onProgress: (done) => {
          progress.advance(done);
          return onProgress?.({ done, total });
        },
      });
    } finally {
      progress.stop();
    }
  }

  async #imported(): Promise<ImportResult | undefined> {
    const marker = await this.#redis.get(cityKeys.imported);
    return marker === null ? undefined : (JSON.parse(marker) as ImportResult);
  }
}
