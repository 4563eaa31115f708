import { describe, expect, it } from '@jest/globals';
import { FaultProxy, type RedisServer } from 'rednest/testing';
import type { Overflow } from '../../src/pubsub/options/pubsub-options.js';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplica } from './fixtures/replica.js';

const opened = new Opened();

interface Lossy {
  server: RedisServer;
  proxy: FaultProxy;
}

const LOSSES: [string, (lossy: Lossy) => Promise<unknown>][] = [
  [
    'its connection was killed',
    async ({ server }) => (await server.admin()).call('CLIENT', 'KILL', 'TYPE', 'pubsub'),
  ],
  ['Redis was restarted', async ({ server }) => (await server.kill(), server.restart())],
  ['the network was cut', async ({ proxy }) => (proxy.refuse(), proxy.cut(), proxy.restore())],
];

describe('after a loss', () => {
  it.each(LOSSES)(
    'handlers receive again by themselves, and are told of the gap, when %s',
    async (_, lose) => {
      const server = await opened.server({});
      const proxy = opened.add(await FaultProxy.start(server));
      const there = await startReplica(opened, proxy.optionsFor(server.options));
      const here = await startReplica(opened, server.options);
      const overflows: Overflow[] = ['drop-oldest', 'wait'];
      const recorded = [];
      for (const subject of ['a.b', 'a.*'])
        for (const overflow of overflows) recorded.push(await there.listen(subject, { overflow }));
      await here.publish('a.b', 'before');
      for (const { events } of recorded) await eventually(() => expect(events).toEqual(['before']));
      const lostAt = Date.now();
      await lose({ server, proxy });
      for (const { gaps } of recorded) await eventually(() => expect(gaps).toHaveLength(1), 10_000);
      await eventually(async () => (await here.publish('a.b', 'after'), true));
      for (const { events, gaps } of recorded) {
        await eventually(() => expect(events).toEqual(['before', 'after']));
        expect(gaps).toEqual([{ topic: expect.any(String), reason: 'reconnected', since: expect.any(Date) }]);
        expect(gaps[0]!.since.getTime()).toBeLessThanOrEqual(lostAt + 100);
      }
      expect(there.parts.events.counts.gaps).toBe(recorded.length);
    },
  );

  it('everything is subscribed to again although one loss follows another, and handlers come meanwhile', async () => {
    const server = await opened.server({});
    const proxy = opened.add(await FaultProxy.start(server));
    const there = await startReplica(opened, proxy.optionsFor(server.options));
    const here = await startReplica(opened, server.options);
    const recorded = [await there.listen('topic'), await there.listen('topic.*')];
    const cuts = 8;
    for (let cut = 0; cut < cuts; cut++) {
      const added = there.listen(`topic.number${cut}`, { overflow: cut % 4 === 0 ? 'wait' : 'drop-oldest' });
      proxy.cut();
      await new Promise((resolve) => setTimeout(resolve, cut * 15));
      proxy.cut();
      recorded.push(await added);
    }
    const names = ['topic', ...Array.from({ length: cuts }, (_, cut) => `topic.number${cut}`)];
    await eventually(async () => {
      for (const name of names) await here.publish(name, name);
      for (const { events } of recorded) expect(events).not.toEqual([]);
    });
    const [topic, pattern, ...numbered] = recorded;
    expect(new Set(topic!.events)).toEqual(new Set(['topic']));
    expect(new Set(pattern!.events)).toEqual(new Set(names.slice(1)));
    numbered.forEach(({ events }, cut) => expect(new Set(events)).toEqual(new Set([`topic.number${cut}`])));
    expect(topic!.gaps.length).toBeGreaterThan(0);
    expect(topic!.gaps.length).toBeLessThanOrEqual(2 * cuts);
  });

  it('a handler of gaps that throws or rejects is logged, and the others are told', async () => {
    const server = await opened.server({});
    const there = await startReplica(opened, server.options);
    const throwing = (): never => {
      throw new Error('no');
    };
    await there.listen('news', { name: 'thrower', onGap: throwing });
    await there.listen('news', { name: 'rejecter', onGap: () => Promise.reject(new Error('no')) });
    const { gaps } = await there.listen('news');
    await (await server.admin()).call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(() => expect(gaps).toHaveLength(1));
    const errors = () => there.log.lines.filter(({ level }) => level === 'error').map(({ text }) => text);
    await eventually(() =>
      expect(errors()).toEqual([
        "thrower: what handles gaps of 'news' failed",
        "rejecter: what handles gaps of 'news' failed",
      ]),
    );
  });
});
