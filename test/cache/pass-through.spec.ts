import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Cache,
  CACHE_MANAGER,
  Cacheable,
  CacheEvict,
  CachePut,
  CacheService,
  getCacheToken,
  InjectCache,
} from 'rednest';
import { passThroughCache } from 'rednest/testing';

@Injectable()
class Cities {
  runs = 0;
  constructor(
    readonly cache: CacheService,
    @InjectCache('pages') readonly pages: CacheService,
  ) {}

  @Cacheable({ key: () => 'a', adapt: () => ({ ttl: 1, stale: 1, tags: ['b'], skip: true }) })
  async find(): Promise<number> {
    return ++this.runs;
  }

  @Cacheable({ key: () => 'a', cache: 'pages' })
  async findPage(): Promise<number> {
    return ++this.runs;
  }

  @CachePut({ key: () => 'a' })
  async put(): Promise<number> {
    return ++this.runs;
  }

  @CacheEvict({ key: () => 'a', tags: ['b'], all: true })
  async evict(): Promise<number> {
    return ++this.runs;
  }
}

async function start(): Promise<Cities> {
  const providers = [Cities, ...passThroughCache('pages', 'default')];
  return (await Test.createTestingModule({ providers }).compile()).get(Cities);
}

describe('passThroughCache', () => {
  it('lets decorated methods run each time', async () => {
    const cities = await start();
    expect([await cities.find(), await cities.find()]).toEqual([1, 2]);
    expect([await cities.findPage(), await cities.findPage()]).toEqual([3, 4]);
    expect([await cities.put(), await cities.evict()]).toEqual([5, 6]);
    expect([cities.cache.name, cities.pages.name]).toEqual(['default', 'pages']);
  });

  it('keeps nothing of what is stored', async () => {
    const { cache } = await start();
    await cache.set('a', 1);
    await cache.setMany([['b', 2]]);
    expect([await cache.get('a'), await cache.has('a'), await cache.getMany(['a', 'b'])]).toEqual([
      undefined,
      false,
      [undefined, undefined],
    ]);
    expect(await cache.getOrSetMany(['a', 'b'], (keys) => new Map([[keys[0]!, 'made']]))).toEqual([
      'made',
      undefined,
    ]);
    expect(await cache.getOrSetEntry('a', () => 'made')).toMatchObject({ value: 'made', status: 'miss' });
    expect(await cache.wrap('a', ({ stale }) => stale)).toBeUndefined();
    expect(await cache.inspect('a')).toMatchObject({ key: 'a', state: 'missing' });
    expect(cache.stats()).toMatchObject({ localHits: 0, available: false });
  });

  it('passes on what a factory throws', async () => {
    const { cache } = await start();
    const factory = () => {
      throw new Error('no database');
    };
    await expect(cache.getOrSet('a', factory)).rejects.toThrow('no database');
  });

  it('is for the one who asks, by the tokens of the caches', () => {
    const tokens = passThroughCache('pages').map((provider) => (provider as { provide: unknown }).provide);
    expect(tokens).toEqual([CacheService, getCacheToken('pages'), CACHE_MANAGER, Cache]);
  });

  it('gives what is made for cache-manager a cache, too', async () => {
    const testing = await Test.createTestingModule({ providers: passThroughCache() }).compile();
    const manager = testing.get<Cache>(CACHE_MANAGER);
    expect(testing.get(Cache)).toBe(manager);
    await manager.set('a', 1);
    expect([await manager.get('a'), await manager.wrap('a', () => 2)]).toEqual([undefined, 2]);
  });
});
