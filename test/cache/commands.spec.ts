import { describe, expect, it } from '@jest/globals';
import type { CacheService } from 'rednest';
import { eventually } from '../support/eventually.js';
import { CLUSTER, Ground, NO_COHERENCE, PUBSUB, STANDALONE } from './fixtures/topologies.js';

/** What the servers and their clients do by themselves, or what the count itself takes. */
const OTHERS = /^(info|ping|cluster\||command|config\||replconf|client\||subscribe|hello|time|publish)/;

type Counts = Record<string, number>;

describe.each([STANDALONE, CLUSTER, PUBSUB, NO_COHERENCE])('commands with $name', (place) => {
  const ground = new Ground(place);
  const isCluster = place === CLUSTER;

  async function counts(): Promise<Counts> {
    const sum: Counts = {};
    for (const server of await ground.masters()) {
      const info = await (await server.admin()).info('commandstats');
      for (const [, name = '', calls] of info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm))
        if (!OTHERS.test(name)) sum[name] = (sum[name] ?? 0) + Number(calls);
    }
    return sum;
  }

  /** The commands that `work` has sent, by their names. */
  async function sentBy(work: () => Promise<unknown>): Promise<Counts> {
    const before = await counts();
    await work();
    const after = await counts();
    const sent = Object.entries(after).map(([name, calls]) => [name, calls - (before[name] ?? 0)] as const);
    return Object.fromEntries(sent.filter(([, calls]) => calls > 0));
  }

  /** A process that has not read anything yet, with the cache of that name. */
  async function asNew({ name }: CacheService): Promise<CacheService> {
    const { caches } = await ground.process();
    return caches.open(name, {});
  }

  /** In one slot, where there is a Cluster. */
  const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `{x}${index}`);

  it('a hit in the local tier sends none, also with tags', async () => {
    const cache = ground.cache({ local: { maxAge: '1m' } });
    const tags = [ground.name(), ground.name(), ground.name()];
    await cache.getOrSet('a', () => 1, { tags });
    const many = keysOf(100);
    await cache.setMany(many.map((key) => [key, key])); // prettier-ignore
    await eventually(async () => {
      await cache.getMany(['a', ...many]);
      return (await cache.inspect('a')).local && (await cache.inspect(many[99]!)).local;
    });
    const sent = await sentBy(async () => {
      for (let call = 0; call < 100; call++) {
        expect(await cache.getOrSet('a', () => 2, { tags })).toBe(1);
        expect(await cache.get('a')).toBe(1);
      }
      expect(await cache.has('a')).toBe(true);
      expect(await cache.getMany(many)).toEqual(many);
    });
    expect(sent).toEqual({});
  });

  it('a hit in Redis with three tags is one MGET, one for each slot at the same time on a Cluster', async () => {
    const cache = ground.cache();
    const tags = [ground.name(), ground.name(), ground.name()];
    await cache.set('a', 1, { tags });
    const cold = await asNew(cache);
    const sent = await sentBy(async () => {
      expect(await cold.getOrSet('a', () => 2, { tags })).toBe(1);
    });
    expect(sent).toEqual({ mget: isCluster ? 5 : 1 });
  });

  it('a hit in Redis whose tags nobody tells is two', async () => {
    if (isCluster) return;
    const cache = ground.cache();
    await cache.set('a', 1, { tags: [ground.name(), ground.name()] });
    const cold = await asNew(cache);
    expect(await sentBy(() => cold.get('a'))).toEqual({ mget: 2 });
  });

  it('getMany of 100 is one MGET, for each slot', async () => {
    const cache = ground.cache();
    const keys = keysOf(100);
    await cache.setMany(keys.map((key) => [key, key])); // prettier-ignore
    const cold = await asNew(cache);
    const sent = await sentBy(async () => expect(await cold.getMany(keys)).toEqual(keys));
    // On a Cluster the generation of the cache lies in a slot of its own.
    expect(sent).toEqual({ mget: isCluster ? 2 : 1 });
    const another = await asNew(cache);
    const single = await sentBy(async () => {
      const values = await Promise.all(keys.map((key) => another.get(key)));
      expect(values).toEqual(keys);
    });
    expect(single).toEqual(sent);
  });

  it('many keys of the same many tags read each of the tags once', async () => {
    if (isCluster) return;
    const cache = ground.cache();
    const keys = keysOf(100);
    const tags = Array.from({ length: 1_000 }, () => ground.name());
    await cache.setMany(keys.map((key) => [key, key]), { tags }); // prettier-ignore
    const cold = await asNew(cache);
    const none = () => new Map<string, string>();
    const sent = await sentBy(async () =>
      expect(await cold.getOrSetMany(keys, none, { tags })).toEqual(keys),
    );
    expect(sent).toEqual({ mget: 3 });
  });

  it('deletes of one turn are one UNLINK', async () => {
    const cache = ground.cache();
    const keys = keysOf(20);
    await cache.setMany(keys.map((key) => [key, key])); // prettier-ignore
    const sent = await sentBy(() =>
      Promise.all([...keys.map((key) => cache.delete(key)), cache.delete(keys), cache.delete('{x}none')]),
    );
    expect(sent).toEqual({ unlink: 1 });
  });

  it('invalidateTags is one script however many tags and keys, for each slot', async () => {
    const cache = ground.cache();
    const tags = Array.from({ length: 20 }, () => `{tags}${ground.name()}`);
    await cache.setMany(keysOf(50).map((key) => [key, key]), { tags }); // prettier-ignore
    const sent = await sentBy(() => cache.invalidateTags(tags));
    expect(sent['evalsha']).toBe(1);
    expect(sent['unlink']).toBeUndefined();
    expect(await cache.getMany(keysOf(50))).toEqual(keysOf(50).map(() => undefined));
  });

  it('a value that is missing takes three round trips: to look, to be granted the lease, to store', async () => {
    const cache = ground.cache();
    await cache.getOrSet('{x}warm', () => 1);
    await cache.get('{x}warm');
    const tags = [`{x}${ground.name()}`];
    const { mget, evalsha } = await sentBy(() => cache.getOrSet('{x}a', () => 1, { tags }));
    expect(mget).toBeLessThanOrEqual(2);
    // The tag's stamp is made in the same trip as the lease is granted.
    expect(evalsha).toBeLessThanOrEqual(isCluster || place === NO_COHERENCE ? 4 : 3);
  });
});
