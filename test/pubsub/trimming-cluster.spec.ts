import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { startCluster, type RedisCluster } from 'rednest/testing';
import type { BusParts } from '../../src/pubsub/bus-parts.js';
import { BroadcastDeadLetters } from '../../src/pubsub/dead-letters/broadcast-dead-letters.js';
import { DeadLetters } from '../../src/pubsub/dead-letters/dead-letters.js';
import { Trimmer } from '../../src/pubsub/durable/trimming/trimmer.js';
import { UnreadableEvent } from '../../src/pubsub/events/envelope.js';
import { readGroups } from '../../src/pubsub/stats/group-stats.js';
import { eventually } from '../support/eventually.js';
import { startConnection } from '../support/redis-application.js';
import { busParts, durableType, message, RawTopic } from './fixtures/durable-topic.js';

const TOPICS = ['city.viewed', 'order.paid', 'user.registered', 'mail.sent'];

let cluster: RedisCluster;
let app: INestApplicationContext;
let parts: BusParts;
let topics: RawTopic[];
beforeAll(async () => {
  cluster = await startCluster({ masters: 3, replicas: 0, config: { 'stream-node-max-entries': '1' } });
  const started = await startConnection(cluster.options);
  app = started.app;
  parts = busParts(started.connection);
  // In other slots each.
  topics = TOPICS.map((name) => new RawTopic(parts.connection.client, durableType(name)));
}, 60_000);
afterAll(async () => {
  await app.close();
  await cluster.stop();
});

describe('the topics of a Cluster', () => {
  it('are trimmed, replayed to one group, and counted, each where it lies', async () => {
    for (const topic of topics) {
      await topic.createGroup('ranking');
      await topic.createGroup('slow');
      for (const partition of [0, 0, 0, 1]) await topic.publish('event', partition);
      await topic.acknowledge('ranking', await topic.read('ranking'));
      await topic.acknowledge('slow', await topic.read('slow', 0, 2));
      await topic.die('dead', { g: 'slow', p: 1 });
    }
    const trimmer = new Trimmer(parts, 50);
    for (const { type } of topics) trimmer.note(type);
    // All but the last that the slow group was given, and what it was not.
    for (const topic of topics) await eventually(async () => expect(await topic.ids()).toHaveLength(2));
    trimmer.stop();
    for (const { type } of topics)
      expect(await new DeadLetters(parts, type, async () => undefined).replay({ group: 'slow' })).toBe(1);
    const figures = await readGroups(
      parts,
      topics.map(({ type }) => type),
    );
    const idle = { pending: 0, oldestPending: undefined, consumers: 0 };
    expect(figures).toEqual(
      TOPICS.flatMap((topic) => [
        { topic, group: 'ranking', lag: 2, ...idle },
        { topic, group: 'slow', lag: 3, ...idle },
      ]),
    );
  });

  it('have dead letters of messages that every replica was given', async () => {
    const dead = new BroadcastDeadLetters(parts);
    for (const { type } of topics)
      dead.record(type.topic, message(type.topic, 'one'), new UnreadableEvent('invalid', 'of no use'));
    for (const { type } of topics) {
      const letters = new DeadLetters(parts, type, () => sleep(1));
      await eventually(async () => expect(await letters.count({ group: null })).toBe(1));
      expect(await letters.drop({ reason: 'invalid' })).toBe(1);
    }
  });
});
