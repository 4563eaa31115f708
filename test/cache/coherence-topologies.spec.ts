import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startCluster, startSentinel, type RedisCluster, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { killClients } from '../support/server-view.js';
import { listen, type Listening, listeningUser } from './fixtures/coherence.js';

const opened = new Opened();

const acl = [listeningUser()];

const addressOf = ({ host, port }: RedisServer) => `${host}:${port}`;

let written = 0;

/** A key that nobody has written yet, of a slot that `server` owns. */
async function keyOn(cluster: RedisCluster, server: RedisServer): Promise<string> {
  for (;;) {
    const key = `app:cache:e:default:${written++}`;
    if ((await cluster.nodeOfKey(key)) === server) return key;
  }
}

async function expectPushFrom(
  cluster: RedisCluster,
  server: RedisServer,
  { events }: Listening,
): Promise<void> {
  const key = await keyOn(cluster, server);
  await (await cluster.admin()).set(key, '1');
  await eventually(() => events.count(key) > 0);
}

describe('tracking by way of Sentinels', () => {
  it.each<[string, (group: Awaited<ReturnType<typeof startSentinel>>) => Promise<unknown>]>([
    ['that died', async (group) => (await group.master()).kill().then(() => group.waitForFailover())],
    ['that was demoted', (group) => group.failover()],
  ])(
    'follows from a master %s to the new one',
    async (_, failover) => {
      const group = opened.add(await startSentinel({ acl, replicas: 1 }));
      const { coherence, events } = await listen(opened, group.options);
      const { epoch } = coherence.shardOf(0);
      await failover(group);
      const master = await group.master();
      await eventually(async () => {
        const list = String(await (await master.admin()).client('LIST'));
        return coherence.armed && list.includes(':listener');
      }, 15_000);
      expect(coherence.shardOf(0).epoch).not.toBe(epoch);
      const key = 'app:cache:e:default:after';
      await eventually(async () => (await master.admin()).set(key, '1'));
      await eventually(() => events.count(key) > 0);
    },
    45_000,
  );
});

describe('on a Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startCluster({ masters: 3, replicas: 1, acl });
  }, 30_000);
  afterAll(() => cluster.stop());

  it('tracking is told by each master, of the shard that each slot belongs to', async () => {
    const listening = await listen(opened, cluster.options);
    const { coherence } = listening;
    expect(coherence).toMatchObject({ mode: 'tracking', armed: true });
    for (const master of await cluster.masters()) {
      const shard = coherence.shardOf(cluster.slotOfKey(await keyOn(cluster, master)));
      expect(shard).toMatchObject({ node: addressOf(master), armed: true });
      await expectPushFrom(cluster, master, listening);
    }
  });

  it('the loss of one listener concerns the shard of its master, and its return all: their keys may have been on the way there', async () => {
    const listening = await listen(opened, cluster.options);
    const { coherence, events } = listening;
    const [first, second] = (await cluster.masters()) as [RedisServer, RedisServer];
    const shard = coherence.shardOf(cluster.slotOfKey(await keyOn(cluster, second)));
    const { epoch } = shard;
    events.clear();
    await killClients(first, ':listener');
    await eventually(() => events.losses.length === 1);
    expect(events.losses).toEqual([{ node: addressOf(first), reason: 'listener lost' }]);
    expect(shard).toMatchObject({ epoch, armed: true });
    await eventually(() => events.reasons.includes('listener armed'));
    expect(events.losses[1]).toEqual({ node: addressOf(first), reason: 'listener armed' });
    expect(events.losses.slice(2)).toContainEqual({ node: addressOf(second), reason: 'slots moved' });
    expect(shard.armed).toBe(true);
    expect(shard.epoch).not.toBe(epoch);
    await expectPushFrom(cluster, first, listening);
  });

  it('another epoch begins when a slot has moved, before the value is read from its new master', async () => {
    const { coherence, connection, events } = await listen(opened, cluster.options);
    const [from, to] = (await cluster.masters()) as [RedisServer, RedisServer];
    const key = await keyOn(cluster, from);
    const slot = cluster.slotOfKey(key);
    await connection.client.set(key, '1');
    await cluster.migrateSlot({ slot, to });
    events.clear();
    const { epoch } = coherence.shardOf(slot);
    expect(await connection.client.get(key)).toBe('1');
    expect(events.reasons).toContain('slots moved');
    await eventually(() => coherence.shardOf(slot).node === addressOf(to));
    expect(coherence.shardOf(slot).epoch).not.toBe(epoch);
    expect(coherence.armed).toBe(true);
    await (await cluster.admin()).set(key, '2');
    await eventually(() => events.count(key) > 0);
  });

  it('pubsub tells the others through any node', async () => {
    const [first, second] = await Promise.all([
      listen(opened, cluster.options, 'pubsub'),
      listen(opened, cluster.options, 'pubsub'),
    ]);
    expect(second.coherence.shardOf(0)).toBe(second.coherence.shardOf(16_383));
    first.coherence.announce(['app:cache:e:default:a']);
    await eventually(() => second.events.count('app:cache:e:default:a') > 0);
    expect(first.events.keys).toEqual([]);
  });

  it('leaves no listener behind', async () => {
    const { coherence } = await listen(opened, cluster.options);
    await coherence.stop();
    expect(coherence.armed).toBe(false);
    for (const node of cluster.nodes) {
      await eventually(async () => !String(await (await node.admin()).client('LIST')).includes(':listener'));
    }
  });
});

describe('on a Cluster, when a master is lost', () => {
  let cluster: RedisCluster;
  afterEach(() => cluster.stop());

  it('tracking follows to the replica that took over, although nobody reads or writes meanwhile', async () => {
    cluster = await startCluster({ masters: 3, replicas: 1, acl });
    const listening = await listen(opened, cluster.options);
    const { coherence, log } = listening;
    const [lost] = (await cluster.masters()) as [RedisServer];
    const slot = cluster.slotOfKey(await keyOn(cluster, lost));
    await lost.kill();
    await eventually(() => !coherence.shardOf(slot).armed);
    expect(coherence.armed).toBe(false);
    await cluster.waitForFailover();
    await eventually(() => coherence.armed && coherence.shardOf(slot).node !== addressOf(lost), 15_000);
    for (const master of await cluster.masters()) await expectPushFrom(cluster, master, listening);
    expect(log.texts('CacheModule')).toHaveLength(2);
  }, 45_000);
});
