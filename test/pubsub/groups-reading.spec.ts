import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { EventContext, SubscribeCallOptions } from 'rednest';
import { eventually } from '../support/eventually.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { FAST, GroupView, TOPIC, type Work } from './fixtures/groups.js';

const applications = new BusApplications();
const GROUP = 'workers';

const start = (options = {}) => applications.start([], { options: { ...FAST, ...options } });
const view = async (topic = TOPIC, partitions = 8) =>
  new GroupView(await applications.server.admin(), applications.namespace, topic, partitions);

describe('a group', () => {
  it('begins where it is told to, and once only', async () => {
    const { bus } = await start();
    const redis = await view('plain', 2);
    const publish = (text: string) => bus.publish('plain', { text });
    await publish('one');
    await sleep(5);
    const time = new Date();
    const entry = `${time.getTime()}-0` as const;
    await sleep(5);
    await publish('two');
    const handled: Record<string, string[]> = {};
    const subscribe = (group: string, from: NonNullable<SubscribeCallOptions['from']>) =>
      bus.subscribe(
        'plain',
        (({ text }: { text: string }) => void (handled[group] ??= []).push(text)) as never,
        { group, from },
      );
    const now = await subscribe('now', 'now');
    await Promise.all([subscribe('all', 'beginning'), subscribe('since', time), subscribe('after', entry)]);
    await eventually(() => expect(handled).toEqual({ all: ['one', 'two'], since: ['two'], after: ['two'] }));
    await now.close();
    await publish('three');
    await subscribe('now', 'now');
    const expected = {
      all: ['one', 'two', 'three'],
      since: ['two', 'three'],
      after: ['two', 'three'],
      now: ['three'],
    };
    await eventually(() => expect(handled).toEqual(expected));
    for (const group of Object.keys(expected))
      await eventually(async () => (await redis.pending(group)) === 0);
  });

  it('reads the partitions that a later release has added', async () => {
    const few = { topics: { work: { ...FAST.topics.work, partitions: 4 } } };
    const handled = new Set<string>();
    const [old, other] = [await start(few), await start(few)];
    for (const { bus } of [old, other])
      await bus.subscribe(TOPIC, (({ key }: Work) => void handled.add(key)) as never, {
        group: GROUP,
        from: 'now',
      });
    // Nest has one logger for all of a process: the last.
    const { bus, log } = await start();
    const keys = Array.from({ length: 40 }, (_, key) => `key-${key}`);
    await Promise.all(keys.map((key) => bus.publish(TOPIC, { key, turn: 0 })));
    await eventually(() => expect([...handled].toSorted()).toEqual(keys.toSorted()), 10_000);
    await eventually(async () => expect(await (await view()).shares(GROUP)).toEqual([4, 4]), 10_000);
    expect(log.lines.filter(({ text }) => text.includes('made again'))).toEqual([]);
  });

  it('reads what is in partitions that were added before it came', async () => {
    const few = { topics: { work: { ...FAST.topics.work, partitions: 4 } } };
    const handled = new Set<string>();
    const handle = (({ key }: Work) => void handled.add(key)) as never;
    const old = await start(few);
    await old.bus.subscribe(TOPIC, handle, { group: GROUP, from: 'now' });
    await old.close();
    const { bus } = await start();
    const keys = Array.from({ length: 40 }, (_, key) => `key-${key}`);
    await Promise.all(keys.map((key) => bus.publish(TOPIC, { key, turn: 0 })));
    await bus.subscribe(TOPIC, handle, { group: GROUP, from: 'now' });
    await eventually(() => expect([...handled].toSorted()).toEqual(keys.toSorted()), 10_000);
  });

  it('holds a part of what waits only, and others go on', async () => {
    const { bus } = await start();
    const redis = await view('plain', 2);
    const text = 'x'.repeat(10_000);
    const total = 6_000;
    let open!: () => void;
    const opening = new Promise<void>((resolve) => (open = resolve));
    let [slow, quick, first] = [0, 0, 0];
    const handle = async () => {
      first++;
      await opening;
      slow++;
    };
    await bus.subscribe('plain', handle, { group: 'slow', concurrency: 2 });
    await bus.subscribe('plain', () => void quick++, { group: 'quick' });
    for (let sent = 0; sent < total; sent += 500)
      await Promise.all(Array.from({ length: 500 }, () => bus.publish('plain', { text })));
    await eventually(() => expect(quick).toBeGreaterThanOrEqual(total), 20_000);
    // 500 of each partition, and what one read brings.
    const held = await redis.pending('slow');
    expect(held).toBeGreaterThan(100);
    expect(held).toBeLessThanOrEqual(2 * 700);
    expect(first).toBeLessThanOrEqual(4);
    open();
    await eventually(() => expect(slow).toBeGreaterThanOrEqual(total), 20_000);
    await eventually(async () => expect(await redis.pending('slow')).toBe(0));
  }, 60_000);

  it('reads large events a few at a time', async () => {
    const { bus } = await start({ maxSize: '4mb' });
    const redis = await view('plain', 2);
    const text = 'x'.repeat(1_000_000);
    for (let sent = 0; sent < 60; sent++) await bus.publish('plain', { text });
    let [handled, most] = [0, 0];
    const handle = async () => {
      most = Math.max(most, await redis.pending(GROUP));
      handled++;
    };
    await bus.subscribe('plain', handle, { group: GROUP, concurrency: 1 });
    await eventually(() => expect(handled).toBe(60), 20_000);
    // 8 MB of each partition, and what one read brings.
    expect(most).toBeLessThan(50);
  }, 30_000);

  it('asks for little where there is nothing', async () => {
    const { bus } = await start({ lease: '10s' });
    await bus.subscribe(TOPIC, () => undefined, { group: GROUP });
    await sleep(300);
    const { redis } = await view();
    await redis.config('RESETSTAT');
    await sleep(4_000);
    const stats = await redis.info('commandstats');
    const calls = Object.fromEntries(
      [...stats.matchAll(/cmdstat_([\w|]+):calls=(\d+)/g)].map(([, name, count]) => [name, Number(count)]),
    );
    expect(calls.xreadgroup).toBeLessThanOrEqual(3);
    expect(calls.evalsha ?? 0).toBeLessThanOrEqual(3);
  });
});

describe('a consumer that stops', () => {
  it('has what it handles come to its end, and begins nothing more', async () => {
    const stopping = await start();
    const redis = await view();
    const [begun, done]: [number[], number[]] = [[], []];
    const handle = async ({ turn, hold = 0 }: Work, { signal }: EventContext) => {
      begun.push(turn);
      await sleep(hold);
      expect(signal.aborted).toBe(false);
      done.push(turn);
    };
    const subscription = await stopping.bus.subscribe(TOPIC, handle as never, {
      group: GROUP,
      concurrency: 3,
    });
    for (let turn = 0; turn < 12; turn++)
      await stopping.bus.publish(TOPIC, { key: `key-${turn}`, turn, hold: 200 });
    await eventually(() => begun.length === 3);
    await subscription.close();
    expect([begun.length, done.length]).toEqual([3, 3]);
    expect(await redis.pending(GROUP)).toBeLessThanOrEqual(9);
    expect(await redis.shares(GROUP)).toEqual([]);
    expect(await redis.redis.zcard(redis.key(`group:${GROUP}:members`))).toBe(0);
    const later: number[] = [];
    await stopping.bus.subscribe(TOPIC, (({ turn }: Work) => void later.push(turn)) as never, {
      group: GROUP,
    });
    await eventually(() => expect(later).toHaveLength(9));
    expect(new Set([...done, ...later]).size).toBe(12);
    await eventually(async () => expect((await redis.consumers(GROUP)).size).toBe(1));
  });
});
