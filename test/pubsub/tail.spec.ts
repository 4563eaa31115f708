import { describe, expect, it } from '@jest/globals';
import { FaultProxy } from 'rednest/testing';
import { Event } from '../../src/pubsub/events/event.decorator.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplica } from './fixtures/replica.js';

const opened = new Opened();

@Event('city.viewed', { delivery: 'durable', partitions: 4 })
class CityViewed {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

async function start(options: Parameters<Opened['server']>[0] = {}) {
  const server = await opened.server(options);
  const proxy = opened.add(await FaultProxy.start(server));
  const here = await startReplica(opened, server.options);
  const there = await startReplica(opened, proxy.optionsFor(server.options));
  return { server, proxy, here, there };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const ids = (events: readonly unknown[]) => events.map((event) => (event as CityViewed).id);

describe('the tail of a durable topic', () => {
  it('reaches every replica and every handler, from the moment on when it was subscribed to', async () => {
    const { here, there } = await start();
    await here.append(CityViewed, new CityViewed(-1), 2);
    const recorded = [
      await here.listenToTail(CityViewed),
      await there.listenToTail(CityViewed),
      await there.listenToTail(CityViewed, { overflow: 'wait' }),
      await there.listenToTail(CityViewed, { skipOwn: true }),
    ];
    for (const id of numbers(12)) await here.append(CityViewed, new CityViewed(id), id % 4);
    for (const { events } of recorded)
      await eventually(() => expect(ids(events).toSorted((a, b) => a - b)).toEqual(numbers(12)));
    expect(recorded[1]!.events[0]).toBeInstanceOf(CityViewed);
  });

  it('leaves out what is replayed for a group, and what cannot be read, which becomes a dead letter', async () => {
    const { server, here, there } = await start();
    const { events } = await there.listenToTail(CityViewed);
    const admin = await server.admin();
    const stream = here.keys('city.viewed').stream(0);
    await admin.xadd(stream, '*', 'e', here.encode(CityViewed, new CityViewed(1)).raw, 'g', 'ranking');
    await admin.xadd(stream, '*', 'e', 'no envelope');
    await admin.xadd(stream, '*', 'other', 'fields');
    await here.append(CityViewed, new CityViewed(2));
    await eventually(() => expect(ids(events)).toEqual([2]));
    await eventually(async () => expect(await admin.xlen(here.keys('city.viewed').dead)).toBe(2));
  });

  it('misses nothing when its connection is lost, says so once, and tells of no gap', async () => {
    const { proxy, here, there } = await start();
    const { events, gaps } = await there.listenToTail(CityViewed);
    await here.append(CityViewed, new CityViewed(0));
    await eventually(() => expect(ids(events)).toEqual([0]));
    proxy.refuse();
    proxy.cut();
    for (const id of [1, 2, 3]) await here.append(CityViewed, new CityViewed(id), 3);
    await eventually(() => expect(there.log.texts('PubSubModule')).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await proxy.restore();
    await eventually(() => expect(ids(events)).toEqual([0, 1, 2, 3]), 10_000);
    expect(gaps).toEqual([]);
    expect(there.log.texts('PubSubModule')).toEqual([
      expect.stringMatching(/^Events 'city\.viewed' cannot be read, trying again: /),
      "Events 'city.viewed' are read again",
    ]);
  });

  it('goes on after a restart of Redis', async () => {
    const { server, here, there } = await start({ config: { appendonly: 'yes', appendfsync: 'always' } });
    const { events } = await there.listenToTail(CityViewed);
    await here.append(CityViewed, new CityViewed(0));
    await eventually(() => expect(ids(events)).toEqual([0]));
    await server.kill();
    await server.restart();
    await eventually(async () => (await here.append(CityViewed, new CityViewed(1)), true), 10_000);
    await eventually(() => expect(ids(events)).toEqual([0, 1]), 10_000);
  });

  it('tells of a gap where a stream was trimmed before it was read', async () => {
    const { server, proxy, here, there } = await start();
    const { events, gaps } = await there.listenToTail(CityViewed);
    await here.append(CityViewed, new CityViewed(0));
    await eventually(() => expect(ids(events)).toEqual([0]));
    proxy.refuse();
    proxy.cut();
    for (const id of [1, 2, 3]) await here.append(CityViewed, new CityViewed(id));
    await (await server.admin()).xtrim(here.keys('city.viewed').stream(0), 'MAXLEN', 1);
    await proxy.restore();
    await eventually(() => expect(ids(events)).toEqual([0, 3]), 10_000);
    expect(gaps).toEqual([{ topic: 'city.viewed', reason: 'trimmed', since: expect.any(Date), missed: 2 }]);
  });

  it.each([
    ['and goes on with earlier ids, after a failover to a server whose clock is behind', '5'],
    ['and begins anew', '*'],
  ])('tells of a gap where Redis has lost a stream %s', async (_, time) => {
    const { server, proxy, here, there } = await start();
    const { events, gaps } = await there.listenToTail(CityViewed);
    for (const id of [0, 1, 2]) await here.append(CityViewed, new CityViewed(id));
    await eventually(() => expect(ids(events)).toEqual([0, 1, 2]));
    proxy.refuse();
    proxy.cut();
    const admin = await server.admin();
    const stream = here.keys('city.viewed').stream(0);
    await admin.del(stream);
    const add = (id: number) =>
      admin.xadd(
        stream,
        time === '*' ? time : `${time}-${id}`,
        'e',
        here.encode(CityViewed, new CityViewed(id)).raw,
      );
    await add(3);
    await proxy.restore();
    await eventually(() => expect(gaps).toHaveLength(1), 10_000);
    await add(4);
    // With earlier ids, nobody can tell which were there before.
    await eventually(() => expect(ids(events)).toEqual(time === '*' ? [0, 1, 2, 3, 4] : [0, 1, 2, 4]));
    expect(gaps).toEqual([{ topic: 'city.viewed', reason: 'lost', since: expect.any(Date) }]);
    proxy.cut();
    await add(5);
    await eventually(() => expect(ids(events).at(-1)).toBe(5), 10_000);
    expect(gaps).toHaveLength(1);
  });

  it('reads partitions that are added later from their beginning', async () => {
    const { server, here, there } = await start();
    const { events } = await there.listenToTail(CityViewed);
    await (await server.admin()).set(here.keys('city.viewed').partitions, 6);
    await here.append(CityViewed, new CityViewed(5), 5);
    await eventually(() => expect(ids(events)).toEqual([5]), 12_000);
  });

  it("with 'wait' reads no further than there is room for, and misses nothing", async () => {
    const { here, there } = await start();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const options = { overflow: 'wait' as const, buffer: 10, concurrency: 1 };
    const waiting = await there.listenToTail(CityViewed, options, () => gate);
    const other = await there.listenToTail(CityViewed);
    for (const id of numbers(400)) await here.append(CityViewed, new CityViewed(id));
    await eventually(() => expect(other.events).toHaveLength(400));
    expect(waiting.listener.buffered).toBe(10);
    release();
    await eventually(() => expect(ids(waiting.events)).toEqual(numbers(400)));
  });

  it('ends its connections with its last receiver, although one is full', async () => {
    const { server, here, there } = await start();
    const never = new Promise<void>(() => undefined);
    const full = await there.listenToTail(
      CityViewed,
      { overflow: 'wait', buffer: 1, concurrency: 1 },
      () => never,
    );
    const other = await there.listenToTail(CityViewed);
    for (const id of numbers(5)) await here.append(CityViewed, new CityViewed(id));
    await eventually(() => full.listener.isFull);
    const admin = await server.admin();
    const dedicated = async () =>
      String(await admin.client('LIST'))
        .split('\n')
        .filter((line) => line.includes(':dedicated '));
    expect(await dedicated()).toHaveLength(2);
    await there.tail.remove(full.listener);
    await there.tail.remove(other.listener);
    await eventually(async () => expect(await dedicated()).toEqual([]));
  });
});
