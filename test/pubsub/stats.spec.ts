import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { RedisError } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { BusParts } from '../../src/pubsub/bus-parts.js';
import { readGroups, type GroupStats } from '../../src/pubsub/stats/group-stats.js';
import { startConnection } from '../support/redis-application.js';
import { busParts, durableType, RawTopic } from './fixtures/durable-topic.js';
import { playTopic, topicSteps, type TopicModel } from './fixtures/topic-model.js';
import { trimNow } from './fixtures/trim-now.js';

let server: RedisServer;
let redis: Redis;
let app: INestApplicationContext;
let parts: BusParts;
beforeAll(async () => {
  // A node for each entry: what a model says is removed is removed.
  server = await startRedis({ config: { 'stream-node-max-entries': '1' } });
  redis = await server.admin();
  const started = await startConnection(server.options);
  app = started.app;
  parts = busParts(started.connection);
});
afterEach(() => redis.flushall());
afterAll(async () => {
  await app.close();
  await server.stop();
});

/** The figures of a model, at a moment. */
function expected(model: TopicModel, moment: number): GroupStats[] {
  const groups = Array.from(model.groups, ([group, states]) => {
    const pending = states.flatMap((state) => Array.from(state.pending));
    const oldest = Math.min(...pending.map((id) => Number.parseInt(id, 10)));
    return {
      topic: 'city.viewed',
      group,
      lag: states.reduce((sum, _, partition) => sum + model.waiting(group, partition).length, 0),
      pending: pending.length,
      oldestPending: pending.length === 0 ? undefined : moment - oldest,
      consumers: 0,
    };
  });
  return groups.toSorted((one, other) => (one.group < other.group ? -1 : 1));
}

/** Whether ages are as expected, but for what has passed between the two moments. */
function agesAgree(
  groups: readonly GroupStats[],
  before: readonly GroupStats[],
  after: readonly GroupStats[],
): boolean {
  return groups.every(({ oldestPending }, index) => {
    const [least, most] = [before[index]!.oldestPending, after[index]!.oldestPending];
    if (oldestPending === undefined) return least === undefined;
    return least! <= oldestPending && oldestPending <= most!;
  });
}

const withoutAge = (groups: readonly GroupStats[]) =>
  groups.map((group) => ({ ...group, oldestPending: 'any' }));

async function now(): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}

describe('figures of groups', () => {
  it('are those of what was published, delivered, acknowledged and trimmed', async () => {
    await fc.assert(
      fc.asyncProperty(topicSteps(), async (steps) => {
        await redis.flushall();
        const topic = new RawTopic(redis, durableType('city.viewed'));
        const trim = () => trimNow(parts, topic.type);
        await playTopic(topic, steps, trim, async (model) => {
          const before = await now();
          const groups = await readGroups(parts, [topic.type]);
          const least = expected(model, before);
          expect(withoutAge(groups)).toEqual(withoutAge(least));
          expect(agesAgree(groups, least, expected(model, await now()))).toBe(true);
        });
      }),
      { numRuns: 10 },
    );
  }, 60_000);

  it('tell how old the oldest pending event is, of all partitions', async () => {
    const topic = new RawTopic(redis, durableType('city.viewed'));
    await topic.createGroup('ranking');
    const ids = [await topic.publish('first', 2)];
    await sleep(50);
    ids.push(await topic.publish('second', 0));
    await topic.read('ranking', 0);
    const read = async () => (await readGroups(parts, [topic.type]))[0]!.oldestPending!;
    expect(await read()).toBeLessThanOrEqual((await now()) - Number.parseInt(ids[1]!, 10));
    await topic.read('ranking', 2);
    const before = await now();
    expect(await read()).toBeGreaterThanOrEqual(before - Number.parseInt(ids[0]!, 10));
    await topic.acknowledge('ranking', [ids[0]!], 2);
    await topic.acknowledge('ranking', [ids[1]!], 0);
    expect(await readGroups(parts, [topic.type])).toMatchObject([{ pending: 0, oldestPending: undefined }]);
  });

  it('count the consumers that live', async () => {
    const topic = new RawTopic(redis, durableType('city.viewed'));
    await topic.createGroup('ranking');
    const members = topic.keys.members('ranking');
    await redis.zadd(
      members,
      (await now()) + 60_000,
      'one',
      (await now()) + 60_000,
      'other',
      (await now()) - 1,
      'gone',
    );
    expect(await readGroups(parts, [topic.type])).toMatchObject([{ group: 'ranking', consumers: 2 }]);
  });

  it('count what waits where the server does not know it', async () => {
    const topic = new RawTopic(redis, durableType('city.viewed', { partitions: 1 }));
    const ids: string[] = [];
    for (let index = 0; index < 900; index++) ids.push(await topic.publish(`event-${index}`));
    await topic.createGroup('midway', ids[49]);
    await redis.xdel(topic.stream(), ids[500]!);
    expect(await redis.xinfo('GROUPS', topic.stream())).toEqual([expect.arrayContaining(['lag', null])]);
    expect(await readGroups(parts, [topic.type])).toMatchObject([{ lag: 849 }]);
  });

  it('stop counting in the end', async () => {
    const topic = new RawTopic(redis, durableType('city.viewed'));
    const pipeline = redis.pipeline();
    for (let index = 0; index < 2_400; index++) pipeline.xadd(topic.stream(index % 2), '*', 'e', '{}');
    await pipeline.exec();
    await topic.createGroup('midway', '1-1');
    for (const partition of [0, 1])
      await redis.xdel(topic.stream(partition), (await topic.ids(partition))[5]!);
    expect(await readGroups(parts, [topic.type])).toMatchObject([{ lag: 1_000 }]);
  });

  it('do not count what was cut off before it was delivered', async () => {
    const topic = new RawTopic(redis, durableType('city.viewed', { partitions: 1 }));
    await topic.createGroup('slow');
    for (let index = 0; index < 10; index++) await topic.publish(`event-${index}`);
    await redis.xtrim(topic.stream(), 'MAXLEN', 4);
    expect(await readGroups(parts, [topic.type])).toMatchObject([{ lag: 4 }]);
  });

  it('are read of durable events only, whether there are any yet or not', async () => {
    const topic = new RawTopic(redis, durableType('other', { partitions: 1 }));
    await topic.createGroup('ranking');
    const types = [durableType('nothing.yet'), durableType('sent', { delivery: 'broadcast' }), topic.type];
    expect(await readGroups(parts, types)).toEqual([
      { topic: 'other', group: 'ranking', lag: 0, pending: 0, oldestPending: undefined, consumers: 0 },
    ]);
  });

  it('fail with an error of Redis', async () => {
    const topic = new RawTopic(redis, durableType('city.viewed'));
    await redis.set(topic.stream(), 'of another type');
    await expect(readGroups(parts, [topic.type])).rejects.toThrow(RedisError);
  });
});
