import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheModule, CacheService, RedisModule } from 'rednest';
import { startCluster, startRedis, type RedisCluster, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { guideAcl } from '../support/guide-acl.js';
import { startApplication } from '../support/redis-application.js';
import { refusals } from '../support/server-view.js';

const USER = { username: 'app', password: 'guide-secret' };

/** What both guides together allow, with the connection's own keys and channels taken out again: the cache has to do with its own. */
const RULES = `${guideAcl()} resetkeys resetchannels ${guideAcl('cache')}`;

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function start(server: RedisServer | RedisCluster): Promise<CacheService> {
  closers.push(() => server.stop());
  const { app } = await startApplication([
    RedisModule.forRoot({ ...server.options, ...USER }),
    CacheModule.forRoot({ namespace: 'app', ttl: '1m', stale: '1m', lease: 300 }),
  ]);
  closers.push(() => app.close());
  return app.get(CacheService);
}

async function useEverything(cache: CacheService): Promise<void> {
  await cache.getOrSet('a', async () => 1, { tags: ['x', 'y'] });
  // Longer than its lease, so that it is renewed.
  await cache.getOrSet('slow', () => new Promise((resolve) => setTimeout(resolve, 400, 2)));
  await expect(cache.getOrSet('failing', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await cache.setMany([
    ['b', 1],
    ['c', 2],
  ]);
  await cache.getMany(['a', 'b', 'c']);
  await cache.getOrSetMany(['a', 'd'], async (keys) => new Map(keys.map((key) => [key, key])));
  await cache.expire('b');
  expect(await cache.get('b', { stale: true })).toBe(1);
  await cache.getOrSet('b', async () => 3, { forceRefresh: true });
  await cache.delete(['c']);
  await cache.invalidateTags(['x', 'z']);
  await cache.warm(['w'], async (keys) => new Map(keys.map((key) => [key, 1])));
  await cache.inspect('a');
  await cache.deleteByPattern('w*');
  await cache.sweep({ olderThan: '1h' });
  await cache.clear();
}

describe('the smallest ACL of the guide', () => {
  it.each<[string, () => Promise<RedisServer | RedisCluster>]>([
    ['a single server', () => startRedis({ acl: [`app on >${USER.password} ${RULES}`] })],
    [
      'a Cluster',
      () => startCluster({ masters: 3, replicas: 0, acl: [`app on >${USER.password} ${RULES}`] }),
    ],
  ])('is enough for all that a cache does on %s', async (_, startServer) => {
    const server = await startServer();
    const cache = await start(server);
    await eventually(() => expect(cache.stats().coherent).toBe(true));
    await useEverything(cache);
    const { errors } = cache.stats();
    expect(errors).toBe(1);
    const servers = 'nodes' in server ? server.nodes : [server];
    for (const each of servers) expect(await refusals(each)).toEqual({});
  });
});
