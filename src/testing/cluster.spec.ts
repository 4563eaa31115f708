import { afterEach, describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { startCluster, type RedisClusterOptions, type RedisCluster, type RedisServer } from './index.js';
import { until } from './until.js';

const clusters: RedisCluster[] = [];
const clients: Cluster[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
});

async function start(options?: RedisClusterOptions): Promise<RedisCluster> {
  const cluster = await startCluster(options);
  clusters.push(cluster);
  return cluster;
}

/** A client that is told nothing but what `.options` says. */
async function connectTo({ options }: RedisCluster): Promise<Cluster> {
  const { username, password, tls } = options;
  const client = new Cluster(options.cluster.nodes, {
    lazyConnect: true,
    redisOptions: {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(typeof tls === 'object' ? { tls: { ...tls } } : {}),
    },
  });
  client.on('error', () => {});
  clients.push(client);
  await client.connect();
  return client;
}

async function otherMaster(cluster: RedisCluster, than: RedisServer): Promise<RedisServer> {
  const other = (await cluster.masters()).find((node) => node !== than);
  if (!other) throw new Error('A second master was expected');
  return other;
}

const cities = Array.from({ length: 60 }, (_, id) => `city:${id}`);

describe('startCluster', () => {
  it('starts three masters that share the slots, with a replica each', async () => {
    const cluster = await start();
    expect(cluster.nodes).toHaveLength(6);
    expect(await cluster.masters()).toEqual(cluster.nodes.slice(0, 3));
    const client = await connectTo(cluster);
    await Promise.all(cities.map((city) => client.set(city, city)));
    for (const node of cluster.nodes) expect(await (await node.admin()).dbsize()).toBeGreaterThan(0);
    const owners = new Set(await Promise.all(cities.slice(0, 20).map((city) => cluster.nodeOfKey(city))));
    expect(owners.size).toBe(3);
    const node = await cluster.nodeOfKey('city:1');
    expect(await (await node.admin()).get('city:1')).toBe('city:1');
    await expect((await (await otherMaster(cluster, node)).admin()).get('city:1')).rejects.toThrow('MOVED');
    expect(await cluster.nodeOfKey('{city:1}:visits')).toBe(node);
  });

  it('moves a slot, by way of ASK to MOVED', async () => {
    const cluster = await start();
    const client = await connectTo(cluster);
    await Promise.all(cities.map((city) => client.set(`{city:1}:${city}`, city)));
    const source = await cluster.nodeOfKey('{city:1}');
    const to = await otherMaster(cluster, source);
    const slot = cluster.slotOfKey('{city:1}');
    const migration = await cluster.beginSlotMigration({ slot, to });
    const direct = await source.admin();
    expect(await direct.get('{city:1}:city:2')).toBe('city:2');
    await expect(direct.get('{city:1}:new')).rejects.toThrow(`ASK ${slot} ${to.host}:${to.port}`);
    expect(await migration.moveKeys()).toBe(60);
    await expect(direct.get('{city:1}:city:2')).rejects.toThrow('ASK');
    expect(await client.get('{city:1}:city:2')).toBe('city:2');
    expect(await cluster.nodeOfKey('{city:1}')).toBe(source);
    await client.set('{city:1}:new', 'x');
    await migration.finish();
    expect(await cluster.nodeOfKey('{city:1}')).toBe(to);
    await expect(direct.get('{city:1}:city:2')).rejects.toThrow('MOVED');
    expect(await client.mget('{city:1}:city:2', '{city:1}:new')).toEqual(['city:2', 'x']);
    await expect(cluster.migrateSlot({ slot, to })).rejects.toThrow('owns slot');
    await cluster.migrateSlot({ slot, to: source });
    expect(await direct.get('{city:1}:new')).toBe('x');
  });

  it('fails over when a master is killed, and takes it back as a replica: TLS, password and users everywhere', async () => {
    const cluster = await start({ tls: { clientAuth: true }, password: 'secret' });
    for (const node of cluster.nodes) {
      expect(await (await node.admin()).config('GET', 'port')).toEqual(['port', '0']);
    }
    const client = await connectTo(cluster);
    await Promise.all(cities.map((city) => client.set(city, city)));
    const lost = await cluster.nodeOfKey('city:1');
    await (await lost.admin()).wait(1, 1_000);
    await cluster.migrateSlot({ slot: cluster.slotOfKey('city:1'), to: await otherMaster(cluster, lost) });
    await lost.kill();
    expect(await cluster.masters()).toHaveLength(2);
    await cluster.waitForFailover();
    expect(await cluster.masters()).toHaveLength(3);
    expect(await cluster.masters()).not.toContain(lost);
    expect(await Promise.all(cities.map((city) => client.get(city)))).toEqual(cities);
    await lost.restart();
    const isReplica = async () => (await (await lost.admin()).role())[0] === 'slave' || undefined;
    await until(isReplica, { timeout: 10_000, what: 'Return' });
  });

  it('starts without replicas, and says when a slot has no owner', async () => {
    const cluster = await start({ masters: 2, replicas: 0 });
    const lost = await cluster.nodeOfKey('city:1');
    lost.pause();
    await expect(cluster.nodeOfKey('city:1')).rejects.toThrow('No node that runs owns slot');
    await expect(cluster.waitForFailover({ timeout: 100 })).rejects.toThrow('did not happen within 100 ms');
    lost.resume();
    await cluster.waitForFailover();
    expect(await cluster.nodeOfKey('city:1')).toBe(lost);
    await cluster.kill();
    expect(await cluster.masters()).toEqual([]);
    await cluster.restart();
    await cluster.waitForFailover();
    expect(await (await cluster.admin()).set('city:1', 'x')).toBe('OK');
  });
});
