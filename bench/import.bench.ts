/**
 * The import of Atlas beside a loop of bare ioredis pipelines that writes the same, on one server in one run, by turns and from an
 * empty database each time.
 */
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { getRedisToken, RedisModule, type RedisClient } from 'rednest';
import { cityKeys, type Scope } from '../sample/cities/cities.keys.js';
import type { City } from '../sample/cities/city.dto.js';
import { CitySource } from '../sample/cities/import/city-source.js';
import { importCities } from '../sample/cities/import/import-cities.js';
import { nameMember, nameTier } from '../sample/cities/name-index.js';
import { redisUrl } from './support/redis-url.js';
import { medianRatio } from './support/statistics.js';

const rounds = 5;
const batchSize = 1_000;
/** The import shall reach this share of the rate of the bare loop. */
const goal = 0.9;

const url = redisUrl();

@Module({ imports: [RedisModule.forRoot({ url })] })
class BenchModule {}

/** What one would write first: a pipeline for each batch, with the commands of each city. */
async function barePipelines(client: Redis, cities: readonly City[]): Promise<void> {
  for (let start = 0; start < cities.length; start += batchSize) {
    const pipeline = client.pipeline();
    for (const city of cities.slice(start, start + batchSize)) {
      pipeline.set(cityKeys.city(city.id), JSON.stringify(city));
      pipeline.geoadd(cityKeys.positions, city.longitude, city.latitude, city.id);
      for (const scope of ['world', city.country] satisfies Scope[]) {
        pipeline.zadd(cityKeys.population(scope), city.population, city.id);
        pipeline.zadd(cityKeys.names(scope, nameTier(city.population)), 0, nameMember(city.name, city));
      }
    }
    await pipeline.exec();
  }
}

/** Cities a second. */
async function measure(redis: Redis, cities: readonly City[], write: () => Promise<void>): Promise<number> {
  await redis.flushdb();
  const begin = performance.now();
  await write();
  return (cities.length * 1_000) / (performance.now() - begin);
}

const application = await NestFactory.createApplicationContext(BenchModule, { logger: ['error', 'warn'] });
const bare = new Redis(url);
try {
  const client = application.get<RedisClient>(getRedisToken());
  const cities = new CitySource().load();
  const rates: { rednest: number; bare: number }[] = [];
  const written: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const own = await measure(bare, cities, () => importCities(client, cities, { batchSize }));
    written.push(await bare.dbsize());
    const other = await measure(bare, cities, () => barePipelines(bare, cities));
    written.push(await bare.dbsize());
    if (round > 0) rates.push({ rednest: own, bare: other }); // the first warms up
  }
  if (new Set(written).size !== 1) throw new Error('The two have not written the same');
  const ratio = medianRatio(
    rates.map((rate) => rate.rednest),
    rates.map((rate) => rate.bare),
  );
  console.table(rates.map((rate) => ({ rednest: Math.round(rate.rednest), bare: Math.round(rate.bare) })));
  console.log(`Cities a second by round; median of the ratios: ${ratio.toFixed(2)} (goal: ${goal}).`);
} finally {
  await Promise.all([application.close(), bare.quit()]);
}
