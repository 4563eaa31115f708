import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { PubSubConfigurationError, RedisError } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import type { BusParts } from '../../src/pubsub/bus-parts.js';
import type { DeadLetter } from '../../src/pubsub/dead-letters/dead-letter.js';
import { DeadLetters } from '../../src/pubsub/dead-letters/dead-letters.js';
import type { DeadLetterListOptions } from '../../src/pubsub/dead-letters/dead-letter-options.js';
import { PLAIN_TOPIC } from '../../src/pubsub/options/resolve-topic.js';
import type { LogRecorder } from '../support/log-recorder.js';
import { startConnection } from '../support/redis-application.js';
import { busParts, durableType, message, RawTopic } from './fixtures/durable-topic.js';

const type = durableType('city.viewed');

let server: RedisServer;
let redis: Redis;
let topic: RawTopic;
let letters: DeadLetters;
/** Those of another replica. */
let others: DeadLetters;
let parts: BusParts;
let log: LogRecorder;
const apps: INestApplicationContext[] = [];
beforeAll(async () => {
  server = await startRedis();
  redis = await server.admin();
  topic = new RawTopic(redis, type);
  const [here, there] = [await startConnection(server.options), await startConnection(server.options)];
  apps.push(here.app, there.app);
  // Nest has one logger for all of a process: the last.
  log = there.log;
  parts = busParts(here.connection);
  letters = new DeadLetters(parts, type, publish);
  others = new DeadLetters(busParts(there.connection), type, publish);
});
afterEach(async () => {
  published.length = 0;
  await redis.flushall();
});
afterAll(async () => {
  for (const app of apps) await app.close();
  await server.stop();
});

const published: string[] = [];
async function publish(_: unknown, raw: string): Promise<void> {
  published.push(raw);
}

async function list(options?: DeadLetterListOptions, of = letters): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const letter of of.list(options)) found.push(letter);
  return found;
}

async function events(options?: DeadLetterListOptions): Promise<(string | undefined)[]> {
  return (await list(options)).map(({ eventId }) => eventId);
}

/** The letters of two groups, and one that was meant for every replica. */
async function dieAll(): Promise<string[]> {
  return [
    await topic.die('one', { g: 'ranking' }),
    await topic.die('two', { g: 'mail', reason: 'version' }),
    await topic.die('three', { g: 'ranking', reason: 'invalid' }),
    await topic.die('four', { g: '', p: '', entry: '', attempts: 0, reason: 'invalid' }),
  ];
}

/** What a group is given, of each partition: the ids of the events. */
async function given(group: string): Promise<unknown[][]> {
  const found: unknown[][] = [];
  for (let partition = 0; partition < type.partitions; partition++) {
    const entries = await topic.entries(group, partition);
    found.push(entries.map(([, [, raw, field, value]]) => [JSON.parse(raw!).id, field, value]));
  }
  return found;
}

describe('dead letters', () => {
  it('tell what became of an event', async () => {
    const id = await topic.die('one', { attempts: 6, error: 'no such city' });
    const [letter] = await list();
    expect(letter).toEqual({
      id,
      eventId: 'one',
      group: 'ranking',
      reason: 'failed',
      error: 'no such city',
      attempts: 6,
      publishedAt: expect.any(Date),
      diedAt: new Date(Number.parseInt(id, 10)),
      version: 1,
      key: undefined,
      data: { id: 'one' },
      raw: expect.stringContaining('"data":{"id":"one"}'),
      cut: false,
    });
  });

  it('show what cannot be read as far as it is known', async () => {
    await topic.die('', { e: '{"id":', reason: 'undecodable', g: '' });
    await topic.die('', { e: message('city.viewed', 'large').slice(0, 40), reason: 'oversized', cut: 1 });
    await redis.xadd(topic.keys.dead, '*', 'foreign', 'field');
    const unknown = { eventId: undefined, publishedAt: undefined, version: undefined, data: undefined };
    expect(await list()).toMatchObject([
      { ...unknown, raw: '{"id":', reason: 'undecodable', group: undefined, cut: false },
      { ...unknown, reason: 'oversized', cut: true },
      { ...unknown, raw: '', group: undefined, error: '', attempts: 0 },
    ]);
  });

  it('are listed the oldest first, in pages, from anywhere, as many as are wanted', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 130; index++)
      ids.push(await topic.die(`event-${index}`, { g: index % 2 === 0 ? 'even' : 'odd' }));
    expect((await list()).map(({ id }) => id)).toEqual(ids);
    expect((await list({ limit: 77 })).map(({ id }) => id)).toEqual(ids.slice(0, 77));
    expect((await list({ after: ids[60]!, limit: 3 })).map(({ id }) => id)).toEqual(ids.slice(61, 64));
    expect(await events({ group: 'odd', limit: 60 })).toEqual(
      ids.slice(0, 60).map((_, index) => `event-${2 * index + 1}`),
    );
    expect(await list({ limit: 0 })).toEqual([]);
    expect(await list({ after: ids.at(-1)! })).toEqual([]);
  });

  it('are told apart by group and reason', async () => {
    await dieAll();
    expect(await events({ group: 'ranking' })).toEqual(['one', 'three']);
    expect(await events({ group: null })).toEqual(['four']);
    expect(await events({ reason: 'invalid' })).toEqual(['three', 'four']);
    expect(await events({ group: 'ranking', reason: 'invalid' })).toEqual(['three']);
    expect(await letters.count()).toBe(4);
    expect(await letters.count({ group: 'ranking' })).toBe(2);
    expect(await letters.count({ group: 'nobody' })).toBe(0);
  });

  it('are none where nothing has died', async () => {
    expect([
      await list(),
      await letters.count(),
      await letters.replay('all'),
      await letters.drop('all'),
    ]).toEqual([[], 0, 0, 0]);
    expect(await letters.count({ group: 'ranking' })).toBe(0);
  });

  it('are dropped: one, some, those of a group, all', async () => {
    const ids = await dieAll();
    const [letter] = await list();
    expect(await letters.drop(letter!)).toBe(1);
    expect(await others.drop(letter!)).toBe(0);
    expect(await letters.drop([{ id: ids[0]! }, { id: ids[1]! }])).toBe(1);
    expect(await letters.drop({ group: 'ranking' })).toBe(1);
    expect(await events()).toEqual(['four']);
    expect(await letters.drop([])).toBe(0);
    expect(await letters.drop('all')).toBe(1);
    expect(await letters.count()).toBe(0);
  });

  it('are never all of them by mistake', async () => {
    await dieAll();
    const group = undefined as unknown as string;
    await expect(letters.drop({ group })).rejects.toThrow(PubSubConfigurationError);
    await expect(letters.replay({ group })).rejects.toThrow(PubSubConfigurationError);
    await expect(letters.count({ group })).rejects.toThrow(PubSubConfigurationError);
    expect(() => letters.list({ group })).toThrow(PubSubConfigurationError);
    expect(await letters.count()).toBe(4);
  });

  it('fail with an error of Redis', async () => {
    await redis.set(topic.keys.dead, 'of another type');
    for (const work of [
      () => letters.count(),
      () => list(),
      () => letters.drop('all'),
      () => letters.replay({ id: '1-1' }),
    ])
      await expect(work()).rejects.toThrow(RedisError);
  });
});

describe('a replay', () => {
  it('gives an event to its group only, in its partition', async () => {
    await dieAll();
    for (const group of ['ranking', 'mail']) await topic.createGroup(group);
    expect(await letters.replay({ group: 'ranking' })).toBe(2);
    const entries = [
      [],
      [
        ['one', 'g', 'ranking'],
        ['three', 'g', 'ranking'],
      ],
      [],
    ];
    // The others see whom it is for, and leave it.
    expect([await given('ranking'), await given('mail')]).toEqual([entries, entries]);
    expect(await events()).toEqual(['two', 'four']);
  });

  describe('by a process that does not know that the topic is durable', () => {
    const unknown = { ...type, ...PLAIN_TOPIC };

    it('gives an event to its group all the same, in its partition', async () => {
      await topic.createGroup('ranking');
      await topic.die('one', { p: 2 });
      expect(await new DeadLetters(parts, unknown, publish).replay('all')).toBe(1);
      expect(await given('ranking')).toEqual([[], [], [['one', 'g', 'ranking']]]);
      expect(published).toEqual([]);
    });

    it('puts one that was meant for every replica back into its stream, and broadcasts nothing', async () => {
      await redis.set(topic.keys.partitions, type.partitions);
      await topic.die('one', { g: '', p: '' });
      expect(await new DeadLetters(parts, unknown, publish).replay({ group: null })).toBe(1);
      expect([await topic.ids(0), published]).toEqual([[expect.any(String)], []]);
    });
  });

  it('puts the same message back, byte by byte', async () => {
    await topic.createGroup('ranking');
    const raw = Buffer.from([0x7b, 0xff, 0x00, 0xc3]);
    await redis.xadd(topic.keys.dead, '*', 'e', raw, 'g', 'ranking', 'reason', 'undecodable', 'p', '2');
    expect(await letters.replay('all')).toBe(1);
    const [[, [, kept]]] = (await redis.xrangeBuffer(topic.stream(2), '-', '+')) as [[Buffer, Buffer[]]];
    expect(kept).toEqual(raw);
  });

  it('of one that was meant for every replica reaches those that read without a group', async () => {
    await dieAll();
    expect(await letters.replay({ group: null })).toBe(1);
    expect(await redis.xrange(topic.stream(0), '-', '+')).toEqual([
      [expect.any(String), ['e', expect.stringContaining('"id":"four"'), 'g', '']],
    ]);
    expect(published).toEqual([]);
  });

  it('of one that was broadcast publishes it again, and then removes it', async () => {
    const sent = new DeadLetters(parts, { ...type, delivery: 'broadcast' }, publish);
    const raw = message('city.viewed', 'one');
    const id = await topic.die('one', { e: raw, g: '', reason: 'version' });
    expect(await sent.replay({ id })).toBe(1);
    expect(published).toEqual([raw]);
    expect(await sent.count()).toBe(0);
  });

  it('leaves a letter that could not be published where it is', async () => {
    let away = true;
    const sent = new DeadLetters(parts, { ...type, delivery: 'broadcast' }, async (...sending) => {
      if (away) throw new Error('away');
      await publish(...sending);
    });
    await topic.die('one', { g: '' });
    await expect(sent.replay('all')).rejects.toThrow('away');
    expect(await sent.count()).toBe(1);
    away = false;
    expect(await sent.replay('all')).toBe(1);
  });

  it('leaves what was cut, or cannot be read by whom it should be published, and says so', async () => {
    const sent = new DeadLetters(parts, { ...type, delivery: 'broadcast' }, publish);
    await topic.die('', { e: '{', reason: 'oversized', cut: 1 });
    await topic.die('', { e: 'rubbish', g: '', reason: 'undecodable' });
    await topic.die('fine', { g: '' });
    expect(await sent.replay('all')).toBe(1);
    expect(await sent.count()).toBe(2);
    expect(log.texts('PubSubModule')).toEqual(
      expect.arrayContaining([
        expect.stringContaining("2 of 3 dead letters of 'city.viewed' cannot be replayed"),
      ]),
    );
  });

  it('by two replicas at the same time puts each back once', async () => {
    await topic.createGroup('ranking');
    const ids: string[] = [];
    for (let index = 0; index < 200; index++) ids.push(await topic.die(`event-${index}`));
    const dropped = ids.slice(150).map((id) => ({ id }));
    const counts = await Promise.all([letters.replay('all'), others.replay('all'), letters.drop(dropped)]);
    expect(counts[0] + counts[1] + counts[2]).toBe(200);
    const found = (await topic.entries('ranking', 1)).map(([, [, raw]]) => JSON.parse(raw!).id as string);
    expect(new Set(found).size).toBe(found.length);
    expect(found).toHaveLength(counts[0] + counts[1]);
    expect(await letters.count()).toBe(0);
  });

  it('of what was broadcast, by two replicas at the same time, publishes each once', async () => {
    const broadcast = { ...type, delivery: 'broadcast' } as const;
    const [here, there] = [parts, busParts(parts.connection)].map(
      (of) => new DeadLetters(of, broadcast, publish),
    );
    for (let index = 0; index < 50; index++) await topic.die(`event-${index}`, { g: '' });
    const counts = await Promise.all([here!.replay('all'), there!.replay('all')]);
    expect(counts[0] + counts[1]).toBe(50);
    expect(new Set(published).size).toBe(50);
    expect(published).toHaveLength(50);
  });

  it('loses and doubles none when it is interrupted', async () => {
    await topic.createGroup('ranking');
    for (let index = 0; index < 100; index++) await topic.die(`event-${index}`);
    const stop = new Error('interrupted');
    const interrupted = letters.replay('all', {
      onProgress: ({ done }) => {
        if (done === 40) throw stop;
      },
    });
    await expect(interrupted).rejects.toBe(stop);
    expect(await letters.count()).toBe(60);
    expect(await letters.replay('all')).toBe(60);
    const found = (await topic.entries('ranking', 1)).map(([, [, raw]]) => JSON.parse(raw!).id as string);
    expect(found).toEqual(Array.from({ length: 100 }, (_, index) => `event-${index}`));
  });

  it('loses and doubles none when its connection is cut', async () => {
    await topic.createGroup('ranking');
    for (let index = 0; index < 300; index++) await topic.die(`event-${index}`);
    const cut = ({ done }: { done: number }) => {
      if (done % 60 === 0) (parts.connection.client as Redis).disconnect(true);
    };
    for (let tries = 0; (await letters.count()) > 0 && tries < 20; tries++)
      await letters.replay('all', { onProgress: cut }).catch(() => undefined);
    const found = (await topic.entries('ranking', 1)).map(([, [, raw]]) => JSON.parse(raw!).id as string);
    expect(found).toEqual(Array.from({ length: 300 }, (_, index) => `event-${index}`));
  });

  it('keeps the letter of a group that is gone', async () => {
    const id = await topic.die('one');
    expect([await letters.replay({ id }), await letters.count(), await topic.ids(1)]).toEqual([0, 1, []]);
    await topic.createGroup('ranking');
    expect([await letters.replay({ id }), await letters.count()]).toEqual([1, 0]);
  });

  it('keeps the letter where memory is full', async () => {
    await topic.createGroup('ranking');
    const id = await topic.die('one');
    await redis.config('SET', 'maxmemory', '1');
    try {
      await expect(letters.replay({ id })).rejects.toThrow(RedisError);
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    expect([await letters.count(), await topic.ids(1)]).toEqual([1, []]);
  });

  it('leaves those that come meanwhile, and tells how far it is', async () => {
    await topic.createGroup('ranking');
    await topic.die('one');
    await topic.die('two');
    const told: unknown[] = [];
    const onProgress = async (progress: unknown) => {
      told.push(progress);
      await topic.die('failed again');
    };
    expect(await letters.replay('all', { onProgress })).toBe(2);
    expect(told).toEqual([
      { done: 1, total: 2 },
      { done: 2, total: 2 },
    ]);
    expect(await letters.count()).toBe(2);
  });
});
