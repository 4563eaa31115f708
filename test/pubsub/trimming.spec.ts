import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import type { INestApplicationContext } from '@nestjs/common';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { BusParts } from '../../src/pubsub/bus-parts.js';
import { Trimmer } from '../../src/pubsub/durable/trimming/trimmer.js';
import type { EventType } from '../../src/pubsub/events/event-type.js';
import { eventually } from '../support/eventually.js';
import type { LogRecorder } from '../support/log-recorder.js';
import { startConnection } from '../support/redis-application.js';
import { busParts, durableType, RawTopic } from './fixtures/durable-topic.js';
import { playTopic, topicSteps } from './fixtures/topic-model.js';
import { trimNow } from './fixtures/trim-now.js';

const HOUR = 3_600_000;

let server: RedisServer;
let redis: Redis;
let app: INestApplicationContext;
let log: LogRecorder;
let parts: BusParts;
beforeAll(async () => {
  // A node for each entry: whole nodes are removed, so that nothing is left of what can be.
  server = await startRedis({ config: { 'stream-node-max-entries': '1' } });
  redis = await server.admin();
  const started = await startConnection(server.options);
  ({ app, log } = started);
  parts = busParts(started.connection);
});
afterEach(() => redis.flushall());
afterAll(async () => {
  await app.close();
  await server.stop();
});

const trim = (type: EventType, most?: number) => trimNow(parts, type, most);

/** A topic and the ids of some entries in its first partition. */
async function published(count: number, given: Partial<EventType> = {}) {
  const topic = new RawTopic(redis, durableType('city.viewed', { partitions: 1, ...given }));
  const ids: string[] = [];
  for (let index = 0; index < count; index++) ids.push(await topic.publish(`event-${index}`));
  return { topic, type: topic.type, ids };
}

/** When a group was seen last, so many milliseconds ago. */
async function seen(topic: RawTopic, group: string, ago: number): Promise<void> {
  const [seconds] = await redis.time();
  await redis.hset(topic.keys.groups, group, Number(seconds) * 1_000 - ago);
}

describe('a script that trims', () => {
  it('removes what every group has handled, and nothing that one has not', async () => {
    await fc.assert(
      fc.asyncProperty(topicSteps(), async (steps) => {
        await redis.flushall();
        const topic = new RawTopic(redis, durableType('city.viewed'));
        await playTopic(topic, steps, () => trim(topic.type));
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it('keeps what is younger than it should be', async () => {
    const { topic, type, ids } = await published(3, { keep: HOUR });
    await topic.createGroup('ranking');
    await topic.acknowledge('ranking', await topic.read('ranking'));
    expect(await trim(type)).toEqual({ removed: 0, isMore: false });
    await trim({ ...type, keep: 1 });
    expect(await topic.ids()).toEqual(ids.slice(-1));
  });

  it('lets events wait for a group for as long as a group may be away, where there is none', async () => {
    const { topic, type, ids } = await published(3, { retention: HOUR });
    await trim(type);
    expect(await topic.ids()).toEqual(ids);
    await trim({ ...type, retention: 1, keep: HOUR });
    expect(await topic.ids()).toEqual(ids);
    await trim({ ...type, retention: 1 });
    expect(await topic.ids()).toEqual([]);
  });

  it('does not wait for a group that was not seen for too long', async () => {
    const { topic, type, ids } = await published(3, { retention: HOUR });
    await topic.createGroup('ranking');
    await topic.createGroup('abandoned');
    await topic.acknowledge('ranking', await topic.read('ranking'));
    await seen(topic, 'abandoned', HOUR - 60_000);
    await trim(type);
    expect(await topic.ids()).toEqual(ids);
    await seen(topic, 'abandoned', HOUR + 1_000);
    await trim(type);
    expect(await topic.ids()).toEqual(ids.slice(-1));
  });

  it('begins to count the time of a group that has never told of itself, and forgets it after that', async () => {
    const { topic, type, ids } = await published(3, { retention: 300 });
    await topic.createGroup('foreign');
    await trim(type);
    expect(await topic.ids()).toEqual(ids);
    expect(await redis.hkeys(topic.keys.groups)).toEqual(['foreign']);
    await sleep(320);
    await trim(type);
    expect(await topic.ids()).toEqual([]);
  });

  it('waits for a group that has not come to a partition yet', async () => {
    const { topic, type, ids } = await published(3);
    await topic.createGroup('ranking');
    await topic.acknowledge('ranking', await topic.read('ranking'));
    await redis.xgroup('CREATE', topic.stream(1), 'late', '0', 'MKSTREAM');
    await trim({ ...type, partitions: 2 });
    expect(await topic.ids()).toEqual(ids);
  });

  it('forgets a group that was destroyed, unless it has consumers, who will make it again', async () => {
    const { topic, type, ids } = await published(3);
    await topic.createGroup('ranking');
    await topic.acknowledge('ranking', await topic.read('ranking'));
    await seen(topic, 'destroyed', 0);
    const members = topic.keys.members('destroyed');
    await redis.zadd(members, Date.now() + HOUR, 'one');
    await trim(type);
    expect(await topic.ids()).toEqual(ids);
    await redis.zadd(members, Date.now() - HOUR, 'one');
    await trim(type);
    expect(await topic.ids()).toEqual(ids.slice(-1));
    expect(await redis.hkeys(topic.keys.groups)).toEqual(['ranking']);
  });

  it('makes room where the memory is full', async () => {
    const { topic, type, ids } = await published(3);
    await topic.createGroup('ranking', '$');
    await redis.config('SET', 'maxmemory', '1');
    try {
      await trim(type);
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    expect(await topic.ids()).toEqual(ids.slice(-1));
  });

  it('forgets the names of consumers that are gone, and have nothing left', async () => {
    const { topic, type } = await published(1, { retention: 200 });
    await topic.createGroup('ranking');
    await seen(topic, 'ranking', 0);
    const stream = topic.stream();
    await redis.xreadgroup('GROUP', 'ranking', 'busy', 'STREAMS', stream, '>');
    for (const name of ['live', 'gone', 'left'])
      await redis.xgroup('CREATECONSUMER', stream, 'ranking', name);
    await redis.zadd(topic.keys.members('ranking'), Date.now() + HOUR, 'live');
    const names = async () => {
      const consumers = (await redis.xinfo('CONSUMERS', stream, 'ranking')) as string[][];
      return new Set(consumers.map(([, name]) => name));
    };
    await trim(type);
    expect(await names()).toEqual(new Set(['busy', 'gone', 'left', 'live']));
    await sleep(250);
    await trim(type);
    expect(await names()).toEqual(new Set(['busy', 'live']));
  });

  it('trims the partitions that others publish to as well', async () => {
    const topic = new RawTopic(redis, durableType('city.viewed', { partitions: 4 }));
    await topic.createGroup('ranking');
    await redis.set(topic.keys.partitions, 4);
    await topic.publish('one', 3);
    const last = await topic.publish('other', 3);
    await topic.acknowledge('ranking', await topic.read('ranking', 3), 3);
    await trim({ ...topic.type, partitions: 2 });
    expect(await topic.ids(3)).toEqual([last]);
  });

  it('removes a part of what is too much, and says that there is more', async () => {
    const { topic, type, ids } = await published(25);
    await topic.createGroup('ranking', '$');
    expect(await trim(type, 10)).toEqual({ removed: 10, isMore: true });
    expect(await trim(type, 10)).toEqual({ removed: 10, isMore: true });
    expect(await trim(type, 10)).toEqual({ removed: 4, isMore: false });
    expect(await topic.ids()).toEqual(ids.slice(-1));
  });

  it('knows ids whose second part is too large for a number', async () => {
    const { topic, type } = await published(0);
    const largest = '18446744073709551615';
    for (const id of ['5-1', `5-${largest.slice(0, -1)}4`, `5-${largest}`, '6-0'])
      await redis.xadd(topic.stream(), id, 'e', '{}');
    await topic.createGroup('ranking', `5-${largest.slice(0, -1)}4`);
    await topic.createGroup('slow', `5-${largest}`);
    await trim(type);
    expect(await topic.ids()).toEqual([`5-${largest.slice(0, -1)}4`, `5-${largest}`, '6-0']);
  });
});

describe('a trimmer', () => {
  let trimmer: Trimmer;
  afterEach(() => trimmer.stop());

  it('trims some time after something was published or acknowledged, as often as that is', async () => {
    trimmer = new Trimmer(parts, 50);
    const { topic, type } = await published(2);
    await topic.createGroup('ranking');
    trimmer.note(type);
    await topic.acknowledge('ranking', await topic.read('ranking'));
    trimmer.note(type);
    await eventually(async () => expect(await topic.ids()).toHaveLength(1));
    await topic.publish('later');
    await topic.acknowledge('ranking', await topic.read('ranking'));
    trimmer.note(type);
    await eventually(async () => expect(await topic.ids()).toHaveLength(1));
  });

  it('removes later what was too young, also when nothing happens any more', async () => {
    trimmer = new Trimmer(parts, 20);
    const { topic, type } = await published(3, { keep: 400 });
    await topic.createGroup('ranking', '$');
    trimmer.note(type);
    await eventually(async () => expect(await redis.hlen(topic.keys.groups)).toBe(1));
    expect(await topic.ids()).toHaveLength(3);
    await eventually(async () => expect(await topic.ids()).toHaveLength(1));
  });

  it('goes on at once where there is more than one script may remove', async () => {
    // After this time it would begin, and after that it would not be called again within the test.
    trimmer = new Trimmer(parts, 500);
    const { topic, type } = await published(0);
    const pipeline = redis.pipeline();
    for (let index = 0; index < 25_000; index++) pipeline.xadd(topic.stream(), '*', 'e', '{}');
    await pipeline.exec();
    await topic.createGroup('ranking', '$');
    trimmer.note(type);
    await eventually(async () => expect(await redis.xlen(topic.stream())).toBe(1), 10_000);
  });

  it('does nothing any more when it is stopped', async () => {
    trimmer = new Trimmer(parts, 10);
    const { topic, type } = await published(3);
    await topic.createGroup('ranking', '$');
    trimmer.note(type);
    trimmer.stop();
    trimmer.note(type);
    await sleep(100);
    expect(await topic.ids()).toHaveLength(3);
  });

  it('says once that it cannot, and goes on when it can', async () => {
    trimmer = new Trimmer(parts, 20);
    const { topic, type } = await published(3);
    await topic.createGroup('ranking', '$');
    await redis.set(topic.keys.groups, 'of another type');
    const warnings = () => log.texts('PubSubModule').filter((text) => text.includes('could not be trimmed'));
    for (let times = 0; times < 10; times++) {
      trimmer.note(type);
      await sleep(20);
    }
    expect(warnings()).toEqual([expect.stringContaining("'city.viewed'")]);
    await redis.del(topic.keys.groups);
    trimmer.note(type);
    await eventually(async () => expect(await topic.ids()).toHaveLength(1));
  });
});
