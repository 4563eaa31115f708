import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startCluster, startRedis, type RedisCluster, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplicas } from './fixtures/throttler-replica.js';
import { MINUTE, startStorage, THROTTLER_USER, told } from './fixtures/throttler.js';

const opened = new Opened();

let cluster: RedisCluster;
let server: RedisServer;

beforeAll(async () => {
  [cluster, server] = await Promise.all([
    startCluster({ masters: 3, replicas: 1, tls: true, acl: [THROTTLER_USER] }),
    startRedis(),
  ]);
});

afterAll(async () => {
  await Promise.all([cluster.stop(), server.stop()]);
});

it('of 1,000 hits at once from two processes, exactly 100 pass; and all is answered as the storage in memory does', async () => {
  const replicas = startReplicas(opened);
  const passedOf = async (blockDuration: number): Promise<number> => {
    const storm = { client: `crowd-${blockDuration}`, hits: 500, limit: 100, blockDuration };
    const [first, second] = await Promise.all(replicas.map((replica) => replica.storm(storm)));
    return first! + second!;
  };
  for (const redis of [cluster.options, server.options]) {
    const serving = { adapter: 'express', redis, storage: { budget: '10s' } } as const;
    await Promise.all(replicas.map((replica) => replica.serve(serving)));
    expect([await passedOf(0), await passedOf(MINUTE)]).toEqual([100, 100]);
  }
  const { compared, refusals, differences } = await replicas[0].compare();
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(1_000);
  expect(refusals).toBeGreaterThan(200);
});

it('limits hold on at the other masters of a Cluster when one is away, and there again when a replica has taken over', async () => {
  // What is silent is given up as early as a replica takes over.
  const redis = { ...cluster.options, stallTimeout: '2s' } as const;
  const started = await startStorage(opened, redis, { budget: 250 });
  const hit = (client: string) => started.storage.increment(client, MINUTE, 1, 0, 'default');
  const nodes = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      const client = `resident-${index}`;
      return { client, node: await cluster.nodeOfKey(`throttle:default:${client}`) };
    }),
  );
  const { node: away } = nodes[0]!;
  const others = nodes.filter(({ node }) => node !== away);
  for (const { client } of nodes) await eventually(async () => (await hit(client)).isBlocked);
  away.pause();
  expect(await hit(nodes[0]!.client)).toMatchObject({ isBlocked: false });
  for (const { client } of others) expect(await hit(client)).toMatchObject({ isBlocked: true });
  // By the replica, which has taken over.
  for (const { client } of nodes) await eventually(async () => (await hit(client)).isBlocked, 15_000);
  expect(told(started)).toEqual([
    expect.stringMatching(/^Requests pass uncounted, without Redis connection 'default', node /),
    'Requests are counted again, after # ms',
  ]);
  away.resume();
});
