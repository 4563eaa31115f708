import { loadPeer } from '../support/peers.js';
import { ttl, type Subject, type Tiers } from './subject.js';

type KeyvStore = object;

interface KeyvRedis {
  createKeyv: (url: string, options: { namespace: string }) => KeyvStore;
}

interface Cacheable {
  readonly tags: { invalidateTag(tag: string): Promise<unknown> };
  get(key: string): Promise<unknown>;
  getMany(keys: string[]): Promise<unknown[]>;
  set(key: string, value: unknown, options?: { tags: readonly string[] }): Promise<unknown>;
  getOrSet(key: string, factory: () => Promise<unknown>): Promise<unknown>;
  disconnect(): Promise<void>;
}

interface CacheManager {
  get(key: string): Promise<unknown>;
  mget(keys: string[]): Promise<unknown[]>;
  set(key: string, value: unknown): Promise<unknown>;
  wrap(key: string, factory: () => Promise<unknown>): Promise<unknown>;
  disconnect(): Promise<unknown>;
}

/** With tags where the case needs them: they are off by default, as every read then costs more. */
export async function openCacheable(tiers: Tiers, tags: 'tags' | 'no tags' = 'no tags'): Promise<Subject> {
  const { Cacheable } = await loadPeer<{ Cacheable: new (options: object) => Cacheable }>('cacheable');
  const stores = await storesOf(tiers);
  const cache = new Cacheable({
    ttl,
    tags: tags === 'tags',
    ...(stores[0] && { primary: stores[0] }),
    ...(stores[1] && { secondary: stores[1] }),
  });
  return {
    name: 'cacheable',
    get: (key) => cache.get(key),
    getMany: (keys) => cache.getMany(keys),
    set: (key, value, tagged) => cache.set(key, value, tagged && { tags: tagged }),
    getOrSet: (key, factory, tagged) =>
      tagged ? getOrSetTagged(cache, key, factory, tagged) : cache.getOrSet(key, factory),
    invalidateTag: (tag) => cache.tags.invalidateTag(tag),
    close: () => cache.disconnect(),
  };
}

/** Its own getOrSet takes no tags. */
async function getOrSetTagged(
  cache: Cacheable,
  key: string,
  factory: () => Promise<unknown>,
  tags: readonly string[],
): Promise<unknown> {
  const found = await cache.get(key);
  if (found !== undefined) return found;
  const value = await factory();
  await cache.set(key, value, { tags });
  return value;
}

export async function openCacheManager(tiers: Tiers): Promise<Subject> {
  const { createCache } = await loadPeer<{ createCache: (options: object) => CacheManager }>('cache-manager');
  const stores = await storesOf(tiers);
  const cache = createCache(stores.length > 0 ? { ttl, stores } : { ttl });
  return {
    name: 'cache-manager',
    get: (key) => cache.get(key),
    getMany: (keys) => cache.mget(keys),
    set: (key, value) => cache.set(key, value),
    getOrSet: (key, factory) => cache.wrap(key, factory),
    close: () => cache.disconnect(),
  };
}

/** None for the local tier alone: both packages then use the store that they like best. */
async function storesOf({ local, redis, namespace }: Tiers): Promise<KeyvStore[]> {
  if (!redis) return [];
  const { createKeyv } = await loadPeer<KeyvRedis>('@keyv/redis');
  const remote = createKeyv(redis, { namespace });
  if (!local) return [remote];
  const { createKeyv: createLocal } = await loadPeer<{ createKeyv: (options: object) => KeyvStore }>(
    'cacheable',
  );
  return [createLocal({ lruSize: 100_000, ttl }), remote];
}
