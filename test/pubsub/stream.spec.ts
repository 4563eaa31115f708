import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplica } from './fixtures/replica.js';

const opened = new Opened();

const DONE = { done: true, value: undefined };

async function start() {
  const server = await opened.server({});
  const admin = await server.admin();
  const here = await startReplica(opened, server.options);
  const there = await startReplica(opened, server.options);
  return { here, there, channels: async () => admin.pubsub('CHANNELS') };
}

describe('a stream', () => {
  it('gives events as they come, and unsubscribes when its loop is left', async () => {
    const { here, there, channels } = await start();
    const stream = there.stream<number>('news');
    await there.broadcast.add(stream);
    for (let i = 0; i < 5; i++) await here.publish('news', i);
    const events: number[] = [];
    for await (const event of stream) {
      events.push(event);
      if (event === 3) break;
    }
    expect(events).toEqual([0, 1, 2, 3]);
    await eventually(async () => expect(await channels()).toEqual([]));
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('answers several who ask at the same time in their order', async () => {
    const { here, there } = await start();
    const stream = there.stream<number>('news');
    await there.broadcast.add(stream);
    const results = Promise.all([stream.next(), stream.next(), stream.next()]);
    for (let i = 0; i < 3; i++) await here.publish('news', i);
    expect((await results).map(({ value }) => value)).toEqual([0, 1, 2]);
    await stream.return();
  });

  it('ends when its signal is aborted, or it is disposed of, and whoever waits learns of it', async () => {
    const { there, channels } = await start();
    const controller = new AbortController();
    const aborted = there.stream('news', { signal: controller.signal });
    const disposed = there.stream('other');
    await there.broadcast.add(aborted);
    await there.broadcast.add(disposed);
    const [first, second] = [aborted.next(), disposed.next()];
    controller.abort();
    await disposed[Symbol.asyncDispose]();
    expect([await first, await second]).toEqual([DONE, DONE]);
    await eventually(async () => expect(await channels()).toEqual([]));
    const late = there.stream('news', { signal: controller.signal });
    expect(await late.next()).toEqual({ done: true, value: undefined });
  });

  it('ends without an error at shutdown, after what waits, and holds up nobody', async () => {
    const { here, there } = await start();
    const stream = there.stream<number>('news');
    await there.broadcast.add(stream);
    for (let i = 0; i < 3; i++) await here.publish('news', i);
    await eventually(() => expect(stream.buffered).toBe(3));
    stream.close();
    await stream.drained();
    const events: number[] = [];
    for await (const event of stream) events.push(event);
    expect(events).toEqual([0, 1, 2]);
  });

  it.each([
    ['drop-oldest', [95, 96, 97, 98, 99]],
    ['drop-newest', [0, 1, 2, 3, 4]],
  ] as const)('that nobody reads keeps few: %s', async (overflow, kept) => {
    const { here, there } = await start();
    const gaps: unknown[] = [];
    const stream = there.stream<number>('news', { buffer: 5, overflow, onGap: (gap) => gaps.push(gap) });
    const { events } = await there.listen('news');
    await there.broadcast.add(stream);
    for (let i = 0; i < 100; i++) await here.publish('news', i);
    await eventually(() => expect(events).toHaveLength(100));
    expect(stream.buffered).toBe(5);
    const read = [];
    for (const _ of kept) read.push((await stream.next()).value);
    expect(read).toEqual(kept);
    expect(gaps).toEqual([{ topic: 'news', reason: 'overflow', since: expect.any(Date), missed: 95 }]);
    await stream.return();
  });

  it("with 'wait' gives all of them in order, and holds few at a time", async () => {
    const { here, there } = await start();
    const stream = there.stream<string>('news', { buffer: 10, overflow: 'wait' });
    await there.broadcast.add(stream);
    const text = 'x'.repeat(4_000);
    for (let i = 0; i < 500; i++) await here.publish('news', `${i} ${text}`);
    await eventually(() => stream.isFull);
    let most = 0;
    for (let i = 0; i < 500; i++) {
      most = Math.max(most, stream.buffered);
      expect((await stream.next()).value).toBe(`${i} ${text}`);
    }
    expect(most).toBeLessThan(10 + 2 * 16);
    await stream.return();
  });
});
