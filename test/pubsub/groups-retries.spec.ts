import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { IsInt } from 'class-validator';
import {
  Event,
  getRedisConnectionToken,
  type DeadLetter,
  type EventBus,
  type EventContext,
  type RedisConnection,
} from 'rednest';
import { eventually } from '../support/eventually.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { FAST, GroupView, TOPIC, type Work } from './fixtures/groups.js';

const applications = new BusApplications();
const GROUP = 'workers';

const start = (options = {}) => applications.start([], { options: { ...FAST, ...options } });
const view = async (topic = TOPIC, partitions = 8) =>
  new GroupView(await applications.server.admin(), applications.namespace, topic, partitions);

async function lettersOf(bus: EventBus, topic: string | typeof Checked = TOPIC): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for await (const letter of bus.deadLetters(topic).list()) found.push(letter);
  return found;
}

describe('an event that fails', () => {
  it('leaves room for others, however many wait for their next attempt', async () => {
    const { bus } = await start();
    const handled: unknown[] = [];
    const handle = (turn: number) => {
      if (turn < 1_500) throw new RangeError('not yet');
      handled.push(turn);
    };
    const options = { group: GROUP, retries: 1, backoff: { initial: '1m', max: '1m' } } as const;
    await bus.subscribe('plain', handle as never, options);
    await Promise.all(Array.from({ length: 1_501 }, (_, turn) => bus.publish('plain', turn)));
    await eventually(() => expect(handled).toEqual([1_500]), 10_000);
  });

  it('holds up its key only, goes to the dead letters at last, and is handled once more where it is replayed', async () => {
    const { bus } = await start();
    const attempts: number[] = [];
    const [handled, others]: [string[], string[]] = [[], []];
    let isMended = false;
    const handle = ({ key, turn }: Work, { attempt }: EventContext) => {
      if (key === 'bad' && turn === 0 && !isMended) {
        attempts.push(attempt);
        throw new RangeError('no such city');
      }
      handled.push(`${key} ${turn}`);
    };
    await bus.subscribe(TOPIC, handle as never, { group: GROUP, retries: 3 });
    await bus.subscribe(TOPIC, (({ key, turn }: Work) => void others.push(`${key} ${turn}`)) as never, {
      group: 'others',
    });
    for (let turn = 0; turn < 3; turn++) await bus.publish(TOPIC, { key: 'bad', turn });
    const keys = Array.from({ length: 20 }, (_, key) => `good-${key}`);
    for (const key of keys) await bus.publish(TOPIC, { key, turn: 0 });
    await eventually(() => handled.length === 22);
    expect(attempts).toEqual([1, 2, 3, 4]);
    // Those of its key came after it.
    expect(handled.slice(-2)).toEqual(['bad 1', 'bad 2']);
    const letters = await lettersOf(bus);
    const letter = {
      group: GROUP,
      reason: 'failed',
      error: 'RangeError: no such city',
      attempts: 4,
      data: { key: 'bad', turn: 0 },
    };
    expect(letters).toEqual([expect.objectContaining(letter)]);
    const redis = await view();
    await eventually(async () =>
      expect([await redis.pending(GROUP), await redis.notes(GROUP)]).toEqual([0, []]),
    );
    isMended = true;
    expect(await bus.deadLetters(TOPIC).replay('all')).toBe(1);
    await eventually(() => expect(handled.at(-1)).toBe('bad 0'));
    await eventually(async () => (await redis.pending('others')) === 0);
    expect(others).toHaveLength(23);
    expect(await lettersOf(bus)).toEqual([]);
  });

  it('waits longer each time, and goes on where it was in another process', async () => {
    const pauses: number[] = [];
    const attempts: number[] = [];
    let last = 0;
    const handle = (_: Work, { attempt }: EventContext) => {
      pauses.push(performance.now() - last);
      last = performance.now();
      attempts.push(attempt);
      throw new Error('not yet');
    };
    const options = { group: GROUP, retries: 4, backoff: { initial: 200, max: 1_600 } };
    const first = await start();
    await first.bus.subscribe(TOPIC, handle as never, options);
    await first.bus.publish(TOPIC, { key: 'one', turn: 0 });
    await eventually(() => attempts.length === 3);
    await first.close();
    const redis = await view();
    expect(await redis.notes(GROUP)).toEqual([expect.stringMatching(/^3:\d{13}$/)]);
    const second = await start();
    await second.bus.subscribe(TOPIC, handle as never, options);
    await eventually(async () => (await lettersOf(second.bus)).length === 1, 10_000);
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
    // Each is between half and all of 200, 400, 800, 1600 ms; clocks differ by a little.
    for (const [index, least] of [95, 195, 395, 795].entries())
      expect(pauses[index + 1]).toBeGreaterThan(least);
    expect(await redis.notes(GROUP)).toEqual([]);
  }, 20_000);

  it('is one that was committed: it is not handled again', async () => {
    const { bus, app } = await start();
    const attempts: number[] = [];
    const { client } = app.get<RedisConnection>(getRedisConnectionToken());
    const handle = async (_: Work, context: EventContext) => {
      attempts.push(context.attempt);
      await context.commit(client.multi().incr(`${applications.namespace}:effect`));
      throw new Error('too late');
    };
    await bus.subscribe(TOPIC, handle as never, { group: GROUP });
    await bus.publish(TOPIC, { key: 'one', turn: 0 });
    await eventually(() => attempts.length === 1);
    await sleep(300);
    expect(attempts).toEqual([1]);
    expect(await client.get(`${applications.namespace}:effect`)).toBe('1');
    expect(await (await view()).notes(GROUP)).toEqual([]);
  });
});

@Event('checked', {
  delivery: 'durable',
  partitions: 1,
  version: 2,
  upgrade: (data, version) => (version === 1 ? data : undefined),
})
class Checked {
  @IsInt()
  readonly city: number;

  constructor(city: number) {
    this.city = city;
  }
}

describe('what cannot be read', () => {
  it('goes to the dead letters without its handler, and the group goes on', async () => {
    const { bus } = await start({ maxSize: '1kb' });
    const redis = await view('checked', 1);
    const stream = redis.streams[0]!;
    const handled: number[] = [];
    await bus.subscribe(Checked, ({ city }) => void handled.push(city), { group: GROUP });
    const envelope = (data: unknown, v = 2) =>
      JSON.stringify({ id: 'x', topic: 'checked', v, at: 1, from: 'elsewhere', data });
    const raws: [string, string[]][] = [
      ['undecodable', ['e', 'no JSON']],
      ['undecodable', ['other', 'field']],
      ['undecodable', ['e', '{}']],
      ['oversized', ['e', envelope({ city: 1, more: 'x'.repeat(2_000) })]],
      ['invalid', ['e', envelope({ city: 'Weimar' })]],
      ['invalid', ['e', envelope([])]],
      ['version', ['e', envelope({ city: 1 }, 3)]],
    ];
    for (const [, fields] of raws) await redis.redis.xadd(stream, '*', ...fields);
    await redis.redis.xadd(stream, '*', 'e', envelope({ city: 1 }, 1));
    await bus.publish(new Checked(2));
    await eventually(() => expect(handled).toEqual([1, 2]));
    await eventually(async () => expect(await redis.pending(GROUP)).toBe(0));
    const letters = await lettersOf(bus, Checked);
    expect(letters.map(({ reason }) => reason).toSorted()).toEqual(raws.map(([reason]) => reason).toSorted());
    for (const { attempts, group } of letters) expect([attempts, group]).toEqual([0, GROUP]);
    expect(letters.find(({ reason }) => reason === 'oversized')).toMatchObject({ cut: true });
    expect(letters.some(({ raw }) => raw.includes('other'))).toBe(true);
  });
});

describe('once', () => {
  it.each([TOPIC, 'plain'])(
    'of %s is each id, until it has expired; a dead letter is handled all the same',
    async (topic) => {
      const { bus } = await start();
      const handled: string[] = [];
      let isMended = false;
      const handle = (_: unknown, { id }: EventContext) => {
        if (id === 'bad' && !isMended) throw new Error('no');
        handled.push(id);
      };
      await bus.subscribe(topic, handle, { group: GROUP, once: '2s', retries: 0 });
      const publish = (id: string) => bus.publish(topic, { key: id, turn: 0 }, { id });
      await Promise.all(['one', 'one', 'two', 'bad', 'one'].map(publish));
      await eventually(async () => (await lettersOf(bus, topic)).length === 1);
      await publish('two');
      isMended = true;
      await bus.deadLetters(topic).replay('all');
      await eventually(() => handled.includes('bad'));
      await publish('bad');
      await publish('three');
      await eventually(() => handled.includes('three'));
      expect(handled.toSorted()).toEqual(['bad', 'one', 'three', 'two']);
      await sleep(2_100);
      await publish('one');
      await eventually(() => handled.length === 5);
      const redis = await view(topic, topic === TOPIC ? 8 : 2);
      await eventually(async () => (await redis.pending(GROUP)) === 0);
      expect(await redis.redis.zcard(redis.key(`group:${GROUP}:done`))).toBe(1);
    },
    15_000,
  );
});
