import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startCluster, type RedisCluster, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { killClients } from '../support/server-view.js';
import { arrival, openInstance } from './fixtures/coherent.js';

const opened = new Opened();

/** What is promised is 100 ms; the rest is for a busy machine. */
const BOUND = 100 + 150;

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster({ masters: 3, replicas: 1 });
}, 30_000);
afterAll(() => cluster.stop());
beforeEach(async () => {
  for (const master of await cluster.masters()) await (await master.admin()).flushall();
});

let last = 0;

/** A key of the user, or a tag, of which Redis' key lies on that server. */
async function onServer(server: RedisServer, prefix = 'e:default:'): Promise<string> {
  for (;;) {
    const name = `name${last++}`;
    if ((await cluster.nodeOfKey(`app:cache:${prefix}${name}`)) === server) return name;
  }
}

describe('what is read from several masters at a time', () => {
  it('is not kept where one part of it was changed before another has arrived', async () => {
    const [first, second] = (await cluster.masters()) as [RedisServer, RedisServer];
    const [near, far] = [await onServer(first), await onServer(second)];
    const { cache } = await openInstance(opened, cluster.options);
    const other = await openInstance(opened, cluster.options);
    await other.cache.setMany([near, far].map((key) => [key, 'old'] as const));
    await cache.getMany([near, far, 'warm']);
    await other.cache.setMany([near, far].map((key) => [key, 'old'] as const));
    await arrival();
    second.pause();
    const reading = cache.getMany([near, far]);
    await arrival();
    await (await first.admin()).del(`app:cache:e:default:${near}`);
    await arrival();
    second.resume();
    expect(await reading).toEqual(['old', 'old']);
    expect(await cache.get(near)).toBeUndefined();
  });

  it('is not kept where it was changed before the stamp of its tag has arrived', async () => {
    const [first, second] = (await cluster.masters()) as [RedisServer, RedisServer];
    const [key, tag] = [await onServer(first), await onServer(second, 't:')];
    const { cache } = await openInstance(opened, cluster.options);
    const other = await openInstance(opened, cluster.options);
    await other.cache.set(key, 'old', { tags: [tag] });
    await cache.get('warm');
    await arrival();
    second.pause();
    const reading = cache.getOrSet(key, () => 'new', { tags: [tag] });
    await arrival();
    await (await first.admin()).del(`app:cache:e:default:${key}`);
    await arrival();
    second.resume();
    await reading;
    expect(await cache.get(key)).not.toBe('old');
  });
});

describe('a master that did not answer for a while', () => {
  it('is no reason to keep from what the others hold', async () => {
    const [first, second] = (await cluster.masters()) as [RedisServer, RedisServer];
    const [near, far] = [await onServer(first), await onServer(second)];
    const { cache } = await openInstance(opened, cluster.options, { budget: '20ms', breakerFailures: 1 });
    await cache.set(near, 'here');
    await cache.get(far);
    second.pause();
    await eventually(async () => cache.get(far).then(() => !cache.stats().available));
    second.resume();
    await eventually(() => cache.stats().available);
    await eventually(() => cache.stats().pendingInvalidations === 0, 500);
    expect(await cache.get(near)).toBe('here');
  });
});

describe('while a slot moves', () => {
  it.each(['before its keys', 'after its keys', 'when it is over'])(
    'a change is heard of: %s',
    async (when) => {
      const [from, to] = (await cluster.masters()) as [RedisServer, RedisServer];
      const key = await onServer(from);
      const redisKey = `app:cache:e:default:${key}`;
      const { cache } = await openInstance(opened, cluster.options);
      const other = await openInstance(opened, cluster.options);
      await other.cache.set(key, 'old', { tags: ['cities'] });
      expect(await cache.get(key)).toBe('old');
      const migration = await cluster.beginSlotMigration({ slot: cluster.slotOfKey(redisKey), to });
      expect(await cache.get(key)).toBe('old');
      if (when !== 'before its keys') await migration.moveKeys();
      await arrival();
      expect(await cache.get(key)).toBe('old');
      if (when === 'when it is over') await migration.finish();
      expect(await cache.get(key)).toBe('old');
      await (await cluster.admin()).del(redisKey);
      await sleep(BOUND);
      expect(await cache.get(key)).toBeUndefined();
      await other.cache.set(key, 'old', { tags: ['cities'] });
      await arrival();
      expect(await cache.get(key)).toBe('old');
      await other.cache.invalidateTags('cities');
      await sleep(BOUND);
      expect(await cache.getMany([key])).toEqual([undefined]);
      await migration.finish();
    },
  );
});

describe('while a slot moves and the listener to its next master is away', () => {
  it('what has moved already is not believed', async () => {
    const [from, to] = (await cluster.masters()) as [RedisServer, RedisServer];
    const key = await onServer(from);
    const redisKey = `app:cache:e:default:${key}`;
    const { cache } = await openInstance(opened, cluster.options);
    const other = await openInstance(opened, cluster.options);
    await other.cache.set(key, 'old');
    const migration = await cluster.beginSlotMigration({ slot: cluster.slotOfKey(redisKey), to });
    await migration.moveKeys();
    await arrival();
    expect(await cache.get(key)).toBe('old');
    const admin = await to.admin();
    await killClients(to, ':listener');
    expect(await admin.pipeline().call('ASKING').del(redisKey).exec()).toEqual([
      [null, 'OK'],
      [null, 1],
    ]);
    await eventually(() => cache.stats().coherent);
    await sleep(BOUND);
    expect(await cache.get(key)).toBeUndefined();
    await migration.finish();
  });
});

describe('when a master is lost', () => {
  it('nothing that the replica has not got is read any more, and nothing old is kept', async () => {
    const mortal = opened.add(await startCluster({ masters: 3, replicas: 1 }));
    const { cache } = await openInstance(opened, mortal.options);
    const writer = await openInstance(opened, mortal.options);
    const names = Array.from({ length: 30 }, (_, index) => `row:${index}`);
    await writer.cache.setMany(
      names.map((name) => [name, 'old'] as const),
      { tags: ['rows'] },
    );
    expect(await cache.getMany(names)).toEqual(names.map(() => 'old'));
    const [lost] = (await mortal.masters()) as [RedisServer];
    await sleep(200);
    await lost.kill();
    await mortal.waitForFailover();
    for (const each of [cache, writer.cache]) await eventually(() => each.stats().coherent, 15_000);
    const admin = await mortal.admin();
    for (const name of names)
      await eventually(async () => admin.del(`app:cache:e:default:${name}`).then(() => true));
    await sleep(BOUND);
    expect(await cache.getMany(names)).toEqual(names.map(() => undefined));
    // What meets a master for the first time brings it up to date, and does without it meanwhile.
    await eventually(async () => {
      await writer.cache.setMany(
        names.map((name) => [name, 'new'] as const),
        { tags: ['rows'] },
      );
      await sleep(BOUND);
      expect(await cache.getMany(names)).toEqual(names.map(() => 'new'));
    });
    await writer.cache.invalidateTags('rows');
    await sleep(BOUND);
    expect(await cache.getMany(names)).toEqual(names.map(() => undefined));
  }, 60_000);

  it('and is still there, as a replica: what is written to the new one is heard of', async () => {
    const mortal = opened.add(await startCluster({ masters: 3, replicas: 1 }));
    const { cache } = await openInstance(opened, mortal.options);
    const writer = await openInstance(opened, mortal.options);
    const names = Array.from({ length: 30 }, (_, index) => `row:${index}`);
    await writer.cache.setMany(names.map((name) => [name, 'old'] as const));
    expect(await cache.getMany(names)).toEqual(names.map(() => 'old'));
    const masters = await mortal.masters();
    const replicas = mortal.nodes.filter((node) => !masters.includes(node));
    await eventually(async () => {
      await (await replicas[0]!.admin()).call('CLUSTER', 'FAILOVER').catch(() => undefined);
      await sleep(500);
      return (await mortal.masters()).includes(replicas[0]!);
    }, 20_000);
    await mortal.waitForFailover();
    const admin = await mortal.admin();
    for (const name of names)
      await eventually(async () => admin.del(`app:cache:e:default:${name}`).then(() => true));
    await sleep(BOUND);
    expect(await cache.getMany(names)).toEqual(names.map(() => undefined));
  }, 60_000);
});
