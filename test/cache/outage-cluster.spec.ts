import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startCluster, startSentinel, type RedisCluster, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { expectToldInTurn, startReplica, untilAway, untilBack, type Replica } from './fixtures/replica.js';
import { Traffic } from './fixtures/traffic.js';

const opened = new Opened();

const BUDGET = 50;

/** What a busy machine may add to the time of a request, in milliseconds. */
const MARGIN = 400;

const ENTRY = 'app:cache:e:default:';
const TAG = 'app:cache:t:';
const GENERATION = 'app:cache:g:default';

/** Names of which the key, with this prefix, is in slots that the server owns. */
async function namesOn(
  cluster: RedisCluster,
  server: RedisServer,
  { prefix, count }: { prefix: string; count: number },
): Promise<string[]> {
  const names: string[] = [];
  for (let i = 0; names.length < count; i++) {
    const name = `n${i}`;
    if ((await cluster.nodeOfKey(prefix + name)) === server) names.push(name);
  }
  return names;
}

/** Fills keys from one, all but the first of them with a tag, and has both know them locally. */
async function fill([first, second]: readonly [Replica, Replica], keys: readonly string[], tag: string) {
  for (const [position, key] of keys.entries())
    await first.cache.getOrSet(key, () => 'old', { tags: position > 0 ? [tag] : [] });
  for (const { cache } of [first, second]) expect(await cache.getMany(keys)).toEqual(keys.map(() => 'old'));
}

/** From now on the replica is sent nothing, until it is resumed. What it was sent before would reach it even then. */
async function cutOff(replica: RedisServer, master: RedisServer): Promise<void> {
  replica.pause();
  await (await master.admin()).call('CLIENT', 'KILL', 'TYPE', 'replica');
}

/** Checks that none of the keys has a value any more, and that it stays so. */
async function expectGone(replicas: readonly Replica[], keys: readonly string[]): Promise<void> {
  for (let i = 0; i < 5; i++) {
    for (const { cache } of replicas)
      expect(await cache.getMany(keys, { stale: true })).toEqual(keys.map(() => undefined));
    await sleep(50);
  }
}

describe('a Cluster that loses a master without a replica', () => {
  it('goes on with the keys of the others, and with the lost ones when it is back', async () => {
    const cluster = opened.add(await startCluster({ masters: 3, replicas: 0 }));
    const masters = await cluster.masters();
    // What all entries of a cache depend on is on one of them.
    const generation = await cluster.nodeOfKey(GENERATION);
    const [lost, other] = masters.filter((master) => master !== generation) as [RedisServer, RedisServer];
    const onOthers = [
      ...(await namesOn(cluster, other, { prefix: ENTRY, count: 5 })),
      ...(await namesOn(cluster, generation, { prefix: ENTRY, count: 5 })),
    ];
    const [onLost = ''] = await namesOn(cluster, lost, { prefix: ENTRY, count: 1 });
    const replica = await startReplica(opened, cluster.options, { local: false });
    const traffic = new Traffic(replica.cache, onOthers);
    await sleep(300);
    const from = performance.now();
    const runs = replica.cache.stats().factoryRuns;
    await lost.kill();
    await untilAway(replica, onLost);
    for (let i = 0; i < 3; i++) expect(await replica.cache.getOrSet(onLost, () => i)).toBe(i);
    await sleep(300);
    const to = performance.now();
    expect(replica.cache.stats().factoryRuns - runs).toBe(3);
    await replica.cache.delete(onLost);
    await lost.restart();
    await untilBack(replica, onLost);
    await eventually(async () => {
      await replica.cache.set(onLost, 'cached');
      expect(await replica.cache.get(onLost)).toBe('cached');
    });
    await traffic.stop();
    const all = traffic.between(0, Infinity);
    expect(all.failures).toEqual([]);
    expect(all.slowerThan(BUDGET + MARGIN)).toBe(0);
    const meanwhile = traffic.between(from, to);
    expect(meanwhile.median).toBeLessThan(25);
    expect(meanwhile.slowerThan(BUDGET)).toBeLessThanOrEqual(meanwhile.count / 20);
    expectToldInTurn(replica);
  }, 30_000);

  it('has invalidations that wait for the others done meanwhile', async () => {
    const cluster = opened.add(
      await startCluster({ masters: 3, replicas: 0, acl: ['app on >secret ~app:* &* +@all'] }),
    );
    const [lost, other] = (await cluster.masters()) as [RedisServer, RedisServer];
    const [onLost = ''] = await namesOn(cluster, lost, { prefix: ENTRY, count: 1 });
    const [onOther = ''] = await namesOn(cluster, other, { prefix: ENTRY, count: 1 });
    const replica = await startReplica(opened, cluster.options, { local: false });
    const admin = await other.admin();
    await replica.cache.set(onOther, 'old');
    await admin.acl('SETUSER', 'app', '-unlink');
    await replica.cache.delete(onOther);
    expect(replica.cache.stats().pendingInvalidations).toBe(1);
    await lost.kill();
    await untilAway(replica, onLost);
    expect(await admin.exists(ENTRY + onOther)).toBe(1);
    await admin.acl('SETUSER', 'app', '+unlink');
    await eventually(() => replica.cache.stats().pendingInvalidations === 0, 5_000);
    expect(await admin.exists(ENTRY + onOther)).toBe(0);
    expect(replica.cache.stats().available).toBe(false);
  });
});

describe('a Cluster that fails over', () => {
  let cluster: RedisCluster;
  let lost: RedisServer;
  let itsReplica: RedisServer;
  let keys: string[];
  let tag: string;
  let replicas: [Replica, Replica];
  beforeEach(async () => {
    cluster = opened.add(await startCluster({ masters: 3, replicas: 1 }));
    [lost] = (await cluster.masters()) as [RedisServer];
    itsReplica = await replicaOf(lost);
    keys = await namesOn(cluster, lost, { prefix: ENTRY, count: 3 });
    [tag] = (await namesOn(cluster, lost, { prefix: TAG, count: 1 })) as [string];
    replicas = [await startReplica(opened, cluster.options), await startReplica(opened, cluster.options)];
    await fill(replicas, keys, tag);
    await (await lost.admin()).wait(1, 1_000);
  }, 30_000);

  async function replicaOf(master: RedisServer): Promise<RedisServer> {
    for (const node of cluster.nodes) {
      const [role, , port] = await (await node.admin()).role();
      if (role === 'slave' && port === master.port) return node;
    }
    throw new Error('It has no replica');
  }

  it('fails no request meanwhile, and does not undo what is invalidated meanwhile', async () => {
    const [first, second] = replicas;
    const traffic = new Traffic(second.cache, keys);
    await lost.kill();
    await untilAway(first, keys[0]);
    await first.cache.delete(keys[0]!);
    await first.cache.invalidateTags(tag);
    await cluster.waitForFailover();
    await traffic.stop();
    for (const each of replicas) await untilBack(each, keys[0], 10_000);
    const all = traffic.between(0, Infinity);
    expect(all.failures).toEqual([]);
    expect(all.slowerThan(BUDGET + MARGIN)).toBe(0);
    await first.cache.delete(keys);
    await eventually(() => first.cache.stats().pendingInvalidations === 0);
    await sleep(100);
    await expectGone(replicas, keys);
    await first.cache.set(keys[0]!, 'new');
    await eventually(async () => (await second.cache.get(keys[0]!)) === 'new');
  }, 40_000);

  it.each([
    ['that is used meanwhile', true],
    ['that is not used meanwhile', false],
  ])(
    'to a replica that lags has what it lost invalidated again by a process %s',
    async (_, isUsed) => {
      const [first, second] = replicas;
      await cutOff(itsReplica, lost);
      await first.cache.delete(keys[0]!);
      await first.cache.invalidateTags(tag);
      expect(first.cache.stats().pendingInvalidations).toBe(0);
      await expectGone(replicas, keys);
      await lost.kill();
      if (isUsed) await untilAway(first, keys[0]);
      itsReplica.resume();
      // It has the old value.
      const admin = await itsReplica.admin();
      await admin.readonly();
      expect(await admin.exists(ENTRY + keys[0])).toBe(1);
      await cluster.waitForFailover();
      if (!isUsed) await sleep(1_000);
      expect(await first.cache.getMany(keys, { stale: true })).toEqual(keys.map(() => undefined));
      for (const each of [first, second]) await untilBack(each, keys[0], 10_000);
      await sleep(100);
      await expectGone(replicas, keys);
    },
    40_000,
  );
});

describe('Sentinels that make a replica master which lags', () => {
  let group: Awaited<ReturnType<typeof startSentinel>>;
  afterEach(() => group.stop());

  it.each([
    ['that is used meanwhile', true],
    ['that is not used meanwhile', false],
  ])(
    'have what it lost invalidated again by a process %s',
    async (_, isUsed) => {
      group = await startSentinel({ replicas: 1 });
      const replicas = [
        await startReplica(opened, group.options),
        await startReplica(opened, group.options),
      ] as const;
      const [first, second] = replicas;
      const keys = ['deleted', 'tagged'];
      await fill([first, second], keys, 'cities');
      const [master, lagging] = group.servers as [RedisServer, RedisServer];
      const admin = await master.admin();
      await admin.set('marker', 'not deleted');
      await admin.wait(1, 1_000);
      await cutOff(lagging, master);
      await admin.del('marker');
      await first.cache.delete('deleted');
      await first.cache.invalidateTags('cities');
      await expectGone(replicas, keys);
      await master.kill();
      if (isUsed) await untilAway(first);
      lagging.resume();
      await group.waitForFailover();
      // It has lost what was deleted. Whether what the cache has deleted is still there cannot be asked: it may be gone again by now.
      expect(await (await lagging.admin()).exists('marker')).toBe(1);
      await untilBack(first, undefined, 10_000);
      await untilBack(second, undefined, 10_000);
      await sleep(100);
      await expectGone(replicas, keys);
    },
    40_000,
  );
});
