import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplica } from './fixtures/replica.js';

const opened = new Opened();

const EVENTS = 2_000;

async function start() {
  const server = await opened.server({});
  const here = await startReplica(opened, server.options);
  const there = await startReplica(opened, server.options);
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  return { here, there, gate, release: () => release() };
}

describe('a slow handler and a fast publisher', () => {
  it('the oldest or the newest are dropped for it only; it is told once, and the log says it once', async () => {
    const { here, there, gate, release } = await start();
    const slow = { buffer: 10, concurrency: 1 };
    const oldest = await there.listen('news', { ...slow, name: 'oldest' }, () => gate);
    const newest = await there.listen(
      'news',
      { ...slow, name: 'newest', overflow: 'drop-newest' },
      () => gate,
    );
    const other = await there.listen('news');
    for (let i = 0; i < 100; i++) await here.publish('news', i);
    await eventually(() => expect(other.events).toHaveLength(100));
    expect([oldest.listener.buffered, newest.listener.buffered]).toEqual([10, 10]);
    expect(there.parts.events.counts.dropped).toBe(178);
    release();
    await eventually(() => expect(oldest.events).toEqual([0, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99]));
    await eventually(() => expect(newest.events).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    for (const { gaps } of [oldest, newest])
      expect(gaps).toEqual([{ topic: 'news', reason: 'overflow', since: expect.any(Date), missed: 89 }]);
    expect(other.gaps).toEqual([]);
    expect(there.log.texts('PubSubModule').toSorted()).toEqual([
      "newest is too slow for what comes of 'news': 89 events were dropped",
      "oldest is too slow for what comes of 'news': 89 events were dropped",
    ]);
  });

  it.each(['news', '**'])(
    "with 'wait', reading %s waits: all come in order, and few are in memory",
    async (subject) => {
      const { here, there, gate, release } = await start();
      const options = { buffer: 20, concurrency: 1, overflow: 'wait' as const };
      const waiting = await there.listen(subject, options, () => gate);
      const other = await there.listen('news', { buffer: EVENTS });
      const text = 'x'.repeat(2_000);
      for (let i = 0; i < EVENTS; i++) await here.publish('news', `${i} ${text}`);
      await eventually(() => expect(other.events).toHaveLength(EVENTS), 10_000);
      // What one read of the socket brought, 64 KB, is all that may come above the buffer.
      expect(waiting.listener.buffered).toBeLessThan(20 + 2 * 32);
      release();
      await eventually(() => expect(waiting.events).toHaveLength(EVENTS), 10_000);
      expect(waiting.events).toEqual(other.events);
      expect([waiting.gaps, other.gaps]).toEqual([[], []]);
    },
  );

  it("with 'wait', a handler whose connection was lost while it was full goes on, and is told of the gap", async () => {
    const { here, there, gate, release } = await start();
    const waiting = await there.listen('news', { buffer: 5, concurrency: 1, overflow: 'wait' }, () => gate);
    for (let i = 0; i < 20; i++) await here.publish('news', i);
    await eventually(() => waiting.listener.isFull);
    const { client } = here.connection;
    await (client as unknown as { call(...args: string[]): Promise<unknown> }).call(
      'CLIENT',
      'KILL',
      'TYPE',
      'pubsub',
    );
    release();
    await eventually(() => expect(waiting.gaps).toHaveLength(1), 10_000);
    await here.publish('news', 'after');
    await eventually(() => expect(waiting.events.at(-1)).toBe('after'));
  });
});
