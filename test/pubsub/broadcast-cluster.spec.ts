import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hashSlot } from 'rednest';
import { startCluster, type RedisCluster, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplica, type Recorded, type Replica } from './fixtures/replica.js';

const TOPICS = Array.from({ length: 24 }, (_, index) => `city.number${index}`);

describe('on a Cluster, a broadcast event', () => {
  let cluster: RedisCluster;
  const opened = new Opened();

  beforeAll(async () => {
    cluster = await startCluster({ replicas: 0 });
  }, 60_000);

  afterAll(() => cluster.stop());

  async function startTwo() {
    return {
      here: await startReplica(opened, cluster.options),
      there: await startReplica(opened, cluster.options),
    };
  }

  /** Publishes to every topic until the receivers have all of them. */
  async function expectAll(here: Replica, recorded: readonly Recorded[], mark: string): Promise<void> {
    const expected = TOPICS.map((topic) => `${topic} ${mark}`);
    for (const topic of TOPICS)
      await eventually(async () => (await here.publish(topic, `${topic} ${mark}`), true), 10_000);
    for (const { events } of recorded)
      await eventually(
        () =>
          expect(
            events
              .map(String)
              .filter((each) => each.endsWith(mark))
              .toSorted(),
          ).toEqual(expected.toSorted()),
        10_000,
      );
  }

  async function listenToAll(there: Replica): Promise<{ single: Recorded[]; patterns: Recorded[] }> {
    const single: Recorded[] = [];
    for (const topic of TOPICS) single.push(await there.listen(topic));
    const patterns = [await there.listen('city.*'), await there.listen('**', { overflow: 'wait' })];
    return { single, patterns };
  }

  it('reaches topics and patterns by way of a fixed set of shard channels', async () => {
    const { here, there } = await startTwo();
    const { single, patterns } = await listenToAll(there);
    const other = await there.listen('town.*');
    await expectAll(here, patterns, 'once');
    expect(single.map(({ events }) => events)).toEqual(TOPICS.map((topic) => [`${topic} once`]));
    expect(other.events).toEqual([]);
    const channels = [];
    for (const master of await cluster.masters())
      channels.push(
        ...((await master.observe((client) => client.call('PUBSUB', 'SHARDCHANNELS'))) as string[]),
      );
    expect(channels.toSorted()).toEqual(
      Array.from({ length: 16 }, (_, shard) => `events:{s${shard}}`).toSorted(),
    );
  });

  it('comes again by itself after the connections were killed, and each handler is told of one gap', async () => {
    const { here, there } = await startTwo();
    const { single, patterns } = await listenToAll(there);
    for (const master of await cluster.masters())
      await master.observe((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    for (const { gaps } of [...single, ...patterns])
      await eventually(() => expect(gaps).not.toEqual([]), 10_000);
    await expectAll(here, patterns, 'after');
    for (const { gaps } of single) expect(gaps).toHaveLength(1);
    for (const { gaps } of patterns) expect(gaps.length).toBeLessThanOrEqual(3);
  });

  it('follows its channel to another master', async () => {
    const { here, there } = await startTwo();
    const { single, patterns } = await listenToAll(there);
    const channel = 'events:{s3}';
    const source = await cluster.nodeOfKey(channel);
    const target = (await cluster.masters()).find((master) => master !== source)!;
    await cluster.migrateSlot({ slot: hashSlot(channel), to: target });
    for (const { gaps } of patterns) await eventually(() => expect(gaps).toHaveLength(1), 10_000);
    await expectAll(here, patterns, 'moved');
    const moved = single.filter((_, index) => hashSlot(TOPICS[index]!) % 16 === 3);
    const stayed = single.filter((each) => !moved.includes(each));
    expect(moved.length).toBeGreaterThan(0);
    for (const { gaps } of moved) expect(gaps).toHaveLength(1);
    for (const { gaps } of stayed) expect(gaps).toEqual([]);
  });

  it('that cannot be decoded is found among the dead letters', async () => {
    const { there } = await startTwo();
    const { listener } = await there.listen(TOPICS[0]!);
    const admin = await cluster.admin();
    await admin.spublish(`events:{s${hashSlot(TOPICS[0]!) % 16}}`, 'no envelope');
    await eventually(async () => expect(await admin.xlen(there.keys('unreadable').dead)).toBe(1));
    await there.broadcast.remove(listener);
  });
});

describe('on a Cluster that knows no shard channels, a broadcast event', () => {
  const opened = new Opened();

  it('reaches all by way of any node, and of another when that is gone', async () => {
    // As servers before Redis 7.0.
    const config = { 'rename-command': 'SPUBLISH ""' };
    const cluster = opened.add(await startCluster({ replicas: 1, config }));
    const here = await startReplica(opened, cluster.options);
    const there = await startReplica(opened, cluster.options);
    const recorded = [await there.listen('news'), await there.listen('**', { overflow: 'wait' })];
    await here.publish('news', 1);
    for (const { events } of recorded) await eventually(() => expect(events).toEqual([1]));
    const listening = (node: RedisServer) => node.observe((client) => client.pubsub('CHANNELS'));
    for (const master of await cluster.masters())
      if (((await listening(master)) as string[]).length > 0) await master.kill();
    await cluster.waitForFailover();
    for (const { gaps } of recorded) await eventually(() => expect(gaps).not.toEqual([]), 15_000);
    await eventually(async () => (await here.publish('news', 2), true), 10_000);
    for (const { events } of recorded) await eventually(() => expect(events).toEqual([1, 2]));
  }, 60_000);
});
