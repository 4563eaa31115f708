import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { FaultProxy } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplica } from './fixtures/replica.js';

const opened = new Opened();

const topics = { plain: { delivery: 'durable', partitions: 2 } } as const;

it('a tail whose connection hears nothing any more opens another, and misses nothing', async () => {
  const server = await opened.server({});
  const proxy = opened.add(await FaultProxy.start(server));
  const here = await startReplica(opened, server.options, { topics });
  // The connection that everything else uses is not given up.
  const far = { ...proxy.optionsFor(server.options), stallTimeout: '1m' } as const;
  const there = await startReplica(opened, far, { topics });
  const { events, gaps } = await there.listenToTail('plain');
  await here.append('plain', 0);
  await eventually(() => expect(events).toEqual([0]));
  await sleep(100);
  const { accepted } = proxy;
  proxy.swallow('up');
  await here.append('plain', 1);
  await eventually(() => proxy.accepted > accepted, 20_000);
  await proxy.restore();
  proxy.cut();
  await here.append('plain', 2);
  await eventually(() => expect(events).toEqual([0, 1, 2]), 20_000);
  expect(gaps).toEqual([]);
}, 60_000);
