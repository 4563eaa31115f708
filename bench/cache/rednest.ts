import { NestFactory } from '@nestjs/core';
import { CacheModule, CacheService, RedisModule, type CacheStats } from 'rednest';
import type { Subject, Tiers } from './subject.js';

export interface RednestSubject extends Subject {
  stats(): CacheStats;
}

/** As an application gets it: by its modules, with coherence by the server's tracking wherever there is a local tier. */
export async function openRednest({ local, redis, namespace }: Tiers): Promise<RednestSubject> {
  class BenchModule {}
  const application = await NestFactory.createApplicationContext(
    {
      module: BenchModule,
      imports: [
        ...(redis ? [RedisModule.forRoot({ url: redis })] : []),
        CacheModule.forRoot({
          namespace,
          ttl: '10m',
          // A benchmark wants figures of Redis, not of the breaker.
          budget: '10s',
          local: local && { maxEntries: 100_000, maxAge: '10m' },
        }),
      ],
    },
    { logger: ['error', 'warn'] },
  );
  const cache = application.get(CacheService);
  return {
    name: 'rednest',
    get: (key) => cache.get(key),
    set: (key, value, tags) => cache.set(key, value, tags && { tags }),
    getOrSet: (key, factory, tags) => cache.getOrSet(key, factory, tags && { tags }),
    getMany: (keys) => cache.getMany(keys),
    getOrSetMany: (keys, value, tags) =>
      cache.getOrSetMany(keys, (missing) => new Map(missing.map((key) => [key, value])), { tags }),
    invalidateTag: (tag) => cache.invalidateTags(tag),
    stats: () => cache.stats(),
    close: () => application.close(),
  };
}
