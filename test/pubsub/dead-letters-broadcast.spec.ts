import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { startRedis, type RedisServer } from 'rednest/testing';
import { pubsubChannel } from '../../src/pubsub/bus-events.js';
import type { BusParts } from '../../src/pubsub/bus-parts.js';
import { BroadcastDeadLetters } from '../../src/pubsub/dead-letters/broadcast-dead-letters.js';
import { DeadLetters } from '../../src/pubsub/dead-letters/dead-letters.js';
import type { DeadLetter } from '../../src/pubsub/dead-letters/dead-letter.js';
import { UnreadableEvent } from '../../src/pubsub/events/envelope.js';
import { eventually } from '../support/eventually.js';
import type { LogRecorder } from '../support/log-recorder.js';
import { startConnection } from '../support/redis-application.js';
import { busParts, durableType, message, RawTopic } from './fixtures/durable-topic.js';

const type = durableType('city.updated', { delivery: 'broadcast' });
const invalid = new UnreadableEvent('invalid', 'name must be a string');

let server: RedisServer;
let redis: Redis;
let topic: RawTopic;
let app: INestApplicationContext;
let log: LogRecorder;
let connection: BusParts['connection'];
let parts: BusParts;
let dead: BroadcastDeadLetters;
beforeAll(async () => {
  server = await startRedis();
  redis = await server.admin();
  topic = new RawTopic(redis, type);
  ({ app, log, connection } = await startConnection(server.options));
});
beforeEach(() => {
  log.lines.length = 0;
  parts = busParts(connection, { maxSize: 512, deadLetters: 1_000 });
  dead = new BroadcastDeadLetters(parts);
});
afterEach(() => redis.flushall());
afterAll(async () => {
  await app.close();
  await server.stop();
});

/** Once nothing is on its way any more. */
async function recorded(count: number): Promise<DeadLetter[]> {
  await eventually(async () => expect(await redis.xlen(topic.keys.dead)).toBe(count));
  await sleep(30);
  const found: DeadLetter[] = [];
  for await (const letter of new DeadLetters(parts, type, async () => undefined).list()) found.push(letter);
  expect(found).toHaveLength(count);
  return found;
}

describe('a message that no replica can read', () => {
  it('is recorded once, whichever replica is first', async () => {
    const replicas = Array.from({ length: 5 }, () => busParts(connection));
    const raw = message(type.topic, 'one');
    for (const each of replicas) new BroadcastDeadLetters(each).record(type.topic, raw, invalid);
    expect(await recorded(1)).toMatchObject([
      {
        eventId: 'one',
        group: undefined,
        reason: 'invalid',
        error: 'name must be a string',
        attempts: 0,
        raw,
        cut: false,
      },
    ]);
    expect(replicas.reduce((sum, { events }) => sum + events.counts.dead, 0)).toBe(1);
  });

  it('is told of on the diagnostics channel', async () => {
    const told: unknown[] = [];
    const listener = (event: unknown) => void told.push(event);
    subscribe(pubsubChannel('dead'), listener);
    try {
      dead.record(type.topic, message(type.topic, 'one'), invalid);
      await eventually(() => told.length > 0);
    } finally {
      unsubscribe(pubsubChannel('dead'), listener);
    }
    const identity = { connectionId: connection.id, namespace: 'app' };
    const details = {
      topic: type.topic,
      id: 'one',
      group: undefined,
      reason: 'invalid',
      error: invalid.message,
    };
    expect(told).toEqual([{ ...identity, ...details }]);
  });

  it('is cut to the size of the largest event, in whole characters', async () => {
    dead.record(type.topic, `a${'é'.repeat(600)}`, new UnreadableEvent('oversized', 'it is too large'));
    dead.record(type.topic, 'b'.repeat(512), new UnreadableEvent('undecodable', 'it is no JSON'));
    expect(await recorded(2)).toMatchObject([
      { raw: `a${'é'.repeat(255)}`, cut: true },
      { raw: 'b'.repeat(512), cut: false },
    ]);
  });

  it('is recorded again where a replay does not help', async () => {
    const raw = message(type.topic, 'one');
    const letters = new DeadLetters(parts, type, async (_, again) => dead.record(type.topic, again, invalid));
    dead.record(type.topic, raw, invalid);
    const [first] = await recorded(1);
    expect(await letters.replay('all')).toBe(1);
    const [second] = await recorded(1);
    expect(second!.id).not.toBe(first!.id);
  });

  it('is warned of once a minute for a topic and a reason', async () => {
    for (let index = 0; index < 5; index++) {
      dead.record(type.topic, `rubbish ${index}`, new UnreadableEvent('undecodable', 'it is no JSON'));
      dead.record(type.topic, message(type.topic, `event-${index}`), invalid);
    }
    await recorded(10);
    expect(log.texts('PubSubModule')).toEqual([
      "A message of 'city.updated' is not given to handlers (undecodable): it is no JSON",
      "A message of 'city.updated' is not given to handlers (invalid): name must be a string",
    ]);
  });

  it('is not recorded where there are too many, which is counted and said once', async () => {
    for (let index = 0; index < 1_000; index++)
      dead.record(type.topic, message(type.topic, `event-${index}`), invalid);
    await recorded(100);
    expect(parts.events.counts).toMatchObject({ dead: 100, dropped: 900 });
    expect(log.texts('PubSubModule').filter((text) => text.includes('were not put'))).toHaveLength(1);
  });

  it('pushes out the oldest where there are too many to be kept', async () => {
    const few = new BroadcastDeadLetters(busParts(connection, { deadLetters: 1 }));
    await redis.config('SET', 'stream-node-max-entries', '1');
    for (let index = 0; index < 3; index++)
      few.record(type.topic, message(type.topic, `event-${index}`), invalid);
    await eventually(async () => expect(await redis.zcard(`${topic.keys.dead}:recorded`)).toBe(3));
    expect(await recorded(1)).toMatchObject([{ eventId: 'event-2' }]);
  });

  it('harms nobody while Redis is away', async () => {
    await redis.set(topic.keys.dead, 'of another type');
    for (let index = 0; index < 3; index++) dead.record(type.topic, `rubbish ${index}`, invalid);
    await eventually(() => expect(parts.events.counts).toMatchObject({ dead: 0, dropped: 3 }));
    const closed = await startConnection(server.options);
    await closed.app.close();
    const late = busParts(closed.connection);
    new BroadcastDeadLetters(late).record(type.topic, 'rubbish', invalid);
    await eventually(() => expect(late.events.counts.dropped).toBe(1));
  });
});
