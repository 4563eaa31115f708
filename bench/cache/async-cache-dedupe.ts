import { Redis } from 'ioredis';
import { loadPeer } from '../support/peers.js';
import { ttl, type Subject, type Tiers } from './subject.js';

interface Dedupe {
  define(name: string, make: (key: string) => Promise<unknown>): void;
  read(key: string): Promise<unknown>;
}

/** It has one tier, and is told beforehand how values are made: all it does is get or set. */
export async function openAsyncCacheDedupe(
  { local, redis }: Tiers,
  make: (key: string) => Promise<unknown>,
): Promise<Subject> {
  const { createCache } = await loadPeer<{ createCache: (options: object) => Dedupe }>('async-cache-dedupe');
  const client = !local && redis ? new Redis(redis, { enableAutoPipelining: true }) : undefined;
  const storage = client
    ? { type: 'redis', options: { client } }
    : { type: 'memory', options: { size: 100_000 } };
  const cache = createCache({ ttl: ttl / 1_000, storage });
  cache.define('read', make);
  return {
    name: 'async-cache-dedupe',
    get: (key) => cache.read(key),
    set: (key) => cache.read(key),
    getOrSet: (key) => cache.read(key),
    close: async () => {
      await client?.quit();
    },
  };
}
