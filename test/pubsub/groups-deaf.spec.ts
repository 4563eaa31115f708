import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { FaultProxy } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { FAST } from './fixtures/groups.js';

const applications = new BusApplications();
const opened = new Opened();

it('a group whose connection hears nothing any more opens another, though its lease is long', async () => {
  const proxy = opened.add(await FaultProxy.start(applications.server));
  const redis = applications.redis({ host: proxy.host, port: proxy.port, stallTimeout: '1m' });
  const { bus } = await applications.startWith([redis, applications.pubsub({ ...FAST, lease: '1m' })]);
  const near = await applications.start([], { options: FAST });
  const handled: unknown[] = [];
  await bus.subscribe('plain', (event) => void handled.push(event), { group: 'workers' });
  await near.bus.publish('plain', { turn: 0 });
  await eventually(() => handled.length === 1);
  await sleep(100);
  const { accepted } = proxy;
  // What it asks is lost; the connection that everything else uses is not given up.
  proxy.swallow('up');
  await near.bus.publish('plain', { turn: 1 });
  await eventually(() => proxy.accepted > accepted, 20_000);
  await proxy.restore();
  proxy.cut();
  await near.bus.publish('plain', { turn: 2 });
  await eventually(() => expect(handled).toEqual(expect.arrayContaining([{ turn: 1 }, { turn: 2 }])), 20_000);
}, 60_000);
