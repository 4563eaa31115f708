import { describe, expect, it } from '@jest/globals';
import { CACHE_MANAGER, CacheModule as CacheManagerModule } from '@nestjs/cache-manager';
import type { Cache } from 'cache-manager';
import { Cacheable } from 'cacheable';
import { Keyv } from 'keyv';
import { CacheService, type RedisModuleOptions } from 'rednest';
import { KeyvCacheStore } from 'rednest/keyv';
import { startRedis } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Replicas, startReplica, type Replica } from './fixtures/keyv-cache.js';

const cacheManager = CacheManagerModule.registerAsync({
  isGlobal: true,
  inject: [CacheService],
  useFactory: (cache: CacheService) => ({
    ttl: 60_000,
    stores: new Keyv({ store: new KeyvCacheStore(cache), namespace: 'api' }),
  }),
});

/** What the module makes a Keyv of by itself. */
const bare = CacheManagerModule.registerAsync({
  isGlobal: true,
  inject: [CacheService],
  useFactory: (cache: CacheService) => ({ stores: [new KeyvCacheStore(cache)], namespace: 'bare' }),
});

function start(options: RedisModuleOptions | undefined): Promise<Replica> {
  return startReplica(options, {}, [cacheManager]);
}

describe('caches of other libraries on a cache of rednest', () => {
  const replicas = new Replicas(() => startRedis(), 2, start);

  it('@nestjs/cache-manager: what one replica writes, the other reads', async () => {
    const [one, other] = [0, 1].map((each) => replicas.at(each).app.get<Cache>(CACHE_MANAGER));
    if (!one || !other) throw new Error('There are two replicas');
    await one.set('city:1', { name: 'Berlin' });
    await eventually(async () => expect(await other.get('city:1')).toEqual({ name: 'Berlin' }));
    await eventually(async () => (await replicas.at(1).cache.inspect('api:api:city:1')).local);
    await one.set('city:1', { name: 'Hamburg' });
    await eventually(async () => expect(await other.get('city:1')).toEqual({ name: 'Hamburg' }));
    expect(await other.wrap('city:2', async () => 'Bonn')).toBe('Bonn');
    expect(await one.wrap('city:2', async () => 'made again')).toBe('Bonn');
    await one.mset([
      { key: 'a', value: 1 },
      { key: 'b', value: 2, ttl: 5_000 },
    ]);
    expect(await one.mget(['a', 'b', 'c'])).toEqual([1, 2, undefined]);
    expect(await one.ttl('b')).toBeGreaterThan(Date.now());
    await one.mdel(['a', 'b']);
    await replicas.at(0).cache.set('own', 1, { ttl: '1m' });
    await other.clear();
    await eventually(async () => expect(await one.mget(['a', 'city:1', 'city:2'])).toEqual([undefined, undefined, undefined])); // prettier-ignore
    expect(await replicas.at(1).cache.get('own')).toBe(1);
  });

  it('@nestjs/cache-manager: takes the store as it is, and leaves the connection open when it ends', async () => {
    const { app, cache } = await startReplica(replicas.servers.options, {}, [bare]);
    const manager = app.get<Cache>(CACHE_MANAGER);
    await manager.set('a', 1);
    expect(await manager.get('a')).toBe(1);
    expect((await cache.inspect('bare:bare:a')).state).toBe('fresh');
    await manager.disconnect();
    expect(await manager.get('a')).toBe(1);
    await app.close();
  });

  it('cacheable: what one replica writes, the other reads', async () => {
    const [one, other] = [0, 1].map((each) => {
      const store = new KeyvCacheStore(replicas.at(each).cache);
      return new Cacheable({ primary: new Keyv({ store, namespace: 'pages' }), ttl: '1m' });
    });
    if (!one || !other) throw new Error('There are two replicas');
    await one.set('a', { version: 1 });
    await eventually(async () => expect(await other.get('a')).toEqual({ version: 1 }));
    await one.setMany([
      { key: 'a', value: { version: 2 } },
      { key: 'b', value: 'b' },
    ]);
    await eventually(async () => expect(await other.getMany(['a', 'b'])).toEqual([{ version: 2 }, 'b']));
    expect(await other.getOrSet('a', async () => 'made again')).toEqual({ version: 2 });
    await other.deleteMany(['a', 'b']);
    await eventually(async () => expect(await one.hasMany(['a', 'b'])).toEqual([false, false]));
  });
});
