import type { INestApplicationContext } from '@nestjs/common';
import { CacheService, getCacheToken, getRedisToken, type RedisClient } from 'rednest';
import { freshLoop } from '../cache/loop.js';
import { cityOf, keysOf } from '../cache/values.js';
import { store, warmLocalTier } from '../cache/warm.js';
import { runInFlight } from '../support/in-flight.js';

/** The cache without a local tier. */
export const REMOTE = 'remote';

const keys = keysOf(1_024);
const value = cityOf(1);
const inFlight = 100;

/** Does the work so many times. */
type Workload = (operations: number) => Promise<unknown>;

/** Each prepares an application for itself. */
export const workloads = {
  local: async (app: INestApplicationContext): Promise<Workload> => {
    const cache = app.get(CacheService);
    await warmLocalTier(subjectOf('local', cache), keys, value);
    const loop = await freshLoop();
    return (operations) => loop((key) => cache.get(key), keys, operations);
  },
  hits: async (app: INestApplicationContext): Promise<Workload> => {
    const cache = app.get<CacheService>(getCacheToken(REMOTE), { strict: false });
    await store(subjectOf(REMOTE, cache), keys, value);
    return (operations) => runInFlight(operations, inFlight, (index) => cache.get(keyOf(index)));
  },
  get: async (app: INestApplicationContext): Promise<Workload> => {
    const client = app.get<RedisClient>(getRedisToken());
    await Promise.all(keys.map((key) => client.set(`bench-metrics:${key}`, JSON.stringify(value))));
    return (operations) =>
      runInFlight(operations, inFlight, (index) => client.get(`bench-metrics:${keyOf(index)}`));
  },
};

export type WorkloadName = keyof typeof workloads;

function keyOf(index: number): string {
  return keys[index & (keys.length - 1)]!;
}

function subjectOf(name: string, cache: CacheService) {
  return {
    name,
    get: (key: string) => cache.get(key),
    set: (key: string, its: unknown) => cache.set(key, its),
    getOrSet: (key: string, factory: () => Promise<unknown>) => cache.getOrSet(key, factory),
    close: () => Promise.resolve(),
  };
}
