import { describe, expect, it } from '@jest/globals';
import { IsInt } from 'class-validator';
import { RedisPermissionError, RedisTimeoutError } from 'rednest';
import { Event } from '../../src/pubsub/events/event.decorator.js';
import type { Receiver } from '../../src/pubsub/delivery/receiver.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { type Recorded, startReplica } from './fixtures/replica.js';

const opened = new Opened();

@Event('city.viewed')
class CityViewed {
  @IsInt()
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

async function startTwo() {
  const server = await opened.server({});
  const here = await startReplica(opened, server.options);
  const there = await startReplica(opened, server.options);
  return { server, here, there };
}

describe('a broadcast event', () => {
  it('reaches every replica that is subscribed, as an instance of its class, in order', async () => {
    const { here, there } = await startTwo();
    const recorded = [
      await here.listen(CityViewed),
      await here.listen(CityViewed),
      await there.listen(CityViewed),
    ];
    for (let id = 0; id < 10; id++) await here.publish(CityViewed, new CityViewed(id));
    const expected = Array.from({ length: 10 }, (_, id) => new CityViewed(id));
    for (const { events } of recorded) await eventually(() => expect(events).toEqual(expected));
    expect(recorded[2]!.events[0]).toBeInstanceOf(CityViewed);
  });

  it('reaches each pattern that it matches once, with plain data, and no other', async () => {
    const { here, there } = await startTwo();
    const patterns = ['city.*', 'city.**', '**', 'city.vie*', '*.viewed', 'town.*'];
    const recorded: Recorded[] = [];
    for (const pattern of patterns) recorded.push(await there.listen(pattern));
    const typed = await there.listen(CityViewed);
    await here.publish(CityViewed, new CityViewed(1));
    await here.publish('city.viewed.twice', { id: 2 });
    await here.publish('last', 3);
    await eventually(() => expect(recorded[2]!.events).toEqual([{ id: 1 }, { id: 2 }, 3]));
    expect(recorded.map(({ events }) => events)).toEqual([
      [{ id: 1 }],
      [{ id: 1 }, { id: 2 }],
      [{ id: 1 }, { id: 2 }, 3],
      [{ id: 1 }],
      [{ id: 1 }],
      [],
    ]);
    expect(typed.events).toEqual([new CityViewed(1)]);
  });

  it('is skipped by who wants none of its own', async () => {
    const { here, there } = await startTwo();
    const [typed, pattern] = [
      await here.listen('a.b', { skipOwn: true }),
      await here.listen('a.*', { skipOwn: true }),
    ];
    const all = await here.listen('a.b');
    await here.publish('a.b', 'own');
    await there.publish('a.b', 'foreign');
    await eventually(() => expect(all.events).toEqual(['own', 'foreign']));
    expect(typed.events).toEqual(['foreign']);
    expect(pattern.events).toEqual(['foreign']);
  });

  it('does not come any more once its receiver is removed, and the last one unsubscribes', async () => {
    const { server, here } = await startTwo();
    const [first, second] = [await here.listen('news'), await here.listen('news')];
    await here.broadcast.remove(first.listener);
    await here.publish('news', 1);
    await eventually(() => expect(second.events).toEqual([1]));
    expect(first.events).toEqual([]);
    await here.broadcast.remove(second.listener);
    const admin = await server.admin();
    await eventually(async () => expect(await admin.pubsub('CHANNELS')).toEqual([]));
  });

  it('comes after any order of adding and removing', async () => {
    const { server, here } = await startTwo();
    const removals: Promise<void>[] = [];
    const additions: Promise<void>[] = [];
    let last: Receiver | undefined;
    for (let i = 0; i < 20; i++) {
      if (last) removals.push(here.broadcast.remove(last));
      const { listener } = here.record('news');
      last = listener;
      additions.push(here.broadcast.add(listener));
      if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await additions.at(-1);
    const { events, listener } = await here.listen('news');
    await here.publish('news', 1);
    await eventually(() => expect(events).toEqual([1]));
    await here.broadcast.remove(last!);
    await here.broadcast.remove(listener);
    const admin = await server.admin();
    await eventually(async () => expect(await admin.pubsub('CHANNELS')).toEqual([]));
    await Promise.allSettled([...additions, ...removals]);
  });

  it('is published although nobody listens, and not while Redis is away', async () => {
    const server = await opened.server({});
    const here = await startReplica(opened, server.options, { publishTimeout: 500 });
    await here.publish('news', 1);
    server.pause();
    const error: unknown = await here.publish('news', 2).catch((reason: unknown) => reason);
    server.resume();
    expect(error).toBeInstanceOf(RedisTimeoutError);
  });

  it('cannot be subscribed to where the ACL forbids it, which disturbs no other', async () => {
    const server = await opened.guarded();
    const here = await startReplica(opened, server.options, { namespace: 'app' });
    const elsewhere = await startReplica(opened, server.options, { namespace: 'other' });
    const { events } = await here.listen('news');
    await expect(elsewhere.listen('news')).rejects.toBeInstanceOf(RedisPermissionError);
    await here.publish('news', 1);
    await eventually(() => expect(events).toEqual([1]));
  });
});

describe('a handler of broadcast events', () => {
  it('that throws, rejects or hangs touches no other', async () => {
    const { here, there } = await startTwo();
    let end = (): void => undefined;
    const ending = new Promise<void>((resolve) => (end = resolve));
    await there.listen('news', { name: 'thrower' }, () => {
      throw new Error('no');
    });
    await there.listen('news', { name: 'rejecter' }, () => Promise.reject(new Error('no')));
    await there.listen('news', { concurrency: 1 }, () => ending);
    const { events } = await there.listen('news', { onGap: undefined });
    for (let i = 0; i < 5; i++) await here.publish('news', i);
    await eventually(() => expect(events).toHaveLength(5));
    await eventually(() => expect(there.parts.events.counts.failed).toBe(10));
    const errors = there.log.lines.filter(({ level }) => level === 'error').map(({ text }) => text);
    expect(errors).toHaveLength(10);
    expect(errors[0]).toMatch(/^thrower failed to handle 'news' replica-\d+-0/);
    end();
  });
});

describe('a message that no handler can be given', () => {
  it('harms nobody, and is found among the dead letters', async () => {
    const server = await opened.server({});
    const there = await startReplica(opened, server.options, { maxSize: 2_000 });
    const { events } = await there.listen(CityViewed);
    const plain = await there.listen('city.*');
    const admin = await server.admin();
    const channel = 'events:topic:city.viewed';
    const envelope = JSON.parse(there.encode(CityViewed, new CityViewed(1)).raw) as Record<string, unknown>;
    await admin.publish(channel, 'no envelope');
    await admin.publish(channel, JSON.stringify({ ...envelope, data: 'x'.repeat(3_000) }));
    await admin.publish(channel, JSON.stringify({ ...envelope, data: { id: 'one' } }));
    await admin.publish(channel, JSON.stringify({ ...envelope, v: 9 }));
    await admin.publish(channel, JSON.stringify({ ...envelope, topic: 'city.other' }));
    await there.publish(CityViewed, new CityViewed(2));
    await eventually(() => expect(events).toEqual([new CityViewed(2)]));
    await eventually(() => expect(plain.events).toContainEqual({ id: 2 }));
    await eventually(async () => {
      const letters = await admin.xrange(there.keys('city.viewed').dead, '-', '+');
      const reasons = letters.map(([, fields]) => fields[fields.indexOf('reason') + 1]);
      expect(reasons.map(String).toSorted()).toEqual([
        'invalid',
        'oversized',
        'undecodable',
        'undecodable',
        'version',
      ]);
    });
  });
});
