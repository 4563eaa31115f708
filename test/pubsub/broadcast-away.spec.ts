import { describe, expect, it } from '@jest/globals';
import { RedisUnavailableError } from 'rednest';
import { FaultProxy } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplica } from './fixtures/replica.js';

const opened = new Opened();

describe('while Redis is away', () => {
  it('handlers learn of it although no connection was closed, and receive again', async () => {
    const server = await opened.server({});
    const proxy = opened.add(await FaultProxy.start(server));
    const there = await startReplica(opened, proxy.optionsFor(server.options));
    const here = await startReplica(opened, server.options);
    const { events, gaps } = await there.listen('news');
    const lostAt = Date.now();
    proxy.swallow();
    await here.publish('news', 'lost');
    const accepted = proxy.accepted;
    await eventually(() => proxy.accepted > accepted, 10_000);
    await proxy.restore();
    proxy.cut();
    await eventually(() => expect(gaps).toHaveLength(1), 10_000);
    expect(gaps[0]!.since.getTime()).toBeLessThanOrEqual(lostAt);
    await here.publish('news', 'found');
    await eventually(() => expect(events).toEqual(['found']));
  });

  it('a subscription is refused with the cause, and works when it is asked for later', async () => {
    const server = await opened.server({});
    const there = await startReplica(opened, server.options);
    await server.kill();
    const { listener, events } = there.record('news');
    await expect(there.broadcast.add(listener)).rejects.toThrow(RedisUnavailableError);
    await server.restart();
    await eventually(async () => (await there.broadcast.add(listener), true), 10_000);
    await eventually(async () => (await there.publish('news', 1), true));
    await eventually(() => expect(events).toEqual([1]));
  });
});
