import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  EventBusClosedError,
  EventUnavailableError,
  getRedisConnectionToken,
  RedisUnavailableError,
  type PubSubRootOptions,
  type RedisConnection,
} from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { BusApplications } from './fixtures/bus-applications.js';
import { CityUpdated, CityViewed } from './fixtures/handled.js';

const opened = new Opened();
const applications = new BusApplications();

async function start(options: PubSubRootOptions) {
  const server = await opened.server({});
  const pubsub = applications.pubsub({ shutdownTimeout: '500ms', ...options });
  const application = await applications.startWith([applications.redis({ ...server.options }), pubsub]);
  const connection = application.app.get<RedisConnection>(getRedisConnectionToken(), { strict: false });
  // What is sent before the loss is noticed may have been published.
  const kill = async () => {
    await server.kill();
    await eventually(() => connection.state === 'reconnecting');
  };
  return { server, kill, ...application };
}

const EVENTS = [() => new CityUpdated(1), () => new CityViewed(1)];

describe('an event that is published while Redis is away', () => {
  it('is rejected in time, was not published, and is not published later', async () => {
    const { server, kill, bus } = await start({ publishTimeout: '1s' });
    await kill();
    await eventually(async () => {
      for (const make of EVENTS) {
        const error: unknown = await bus.publish(make()).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(EventUnavailableError);
        expect(error).toMatchObject({ mayBePublished: false, cause: expect.any(RedisUnavailableError) });
        expect((error as Error).message).toMatch(/ECONNREFUSED/);
      }
    });
    await server.restart();
    await eventually(() => bus.publish('last', 'last'), 10_000);
    const admin = await server.admin();
    expect(await admin.info('commandstats')).toMatch('cmdstat_publish:calls=1,');
    expect(await admin.keys(`${applications.namespace}:{city.viewed}:[0-9]`)).toEqual([]);
  });

  it('is published where Redis comes back in time', async () => {
    const { server, kill, bus } = await start({ publishTimeout: '30s' });
    await kill();
    const publishing = Promise.all(EVENTS.map((make) => bus.publish(make())));
    await sleep(100);
    await server.restart();
    expect(await publishing).toEqual([{ id: expect.any(String) }, { id: expect.any(String) }]);
    const streams = await (await server.admin()).keys(`${applications.namespace}:{city.viewed}:[0-9]`);
    expect(streams).toHaveLength(1);
  });

  it('is rejected at once at shutdown', async () => {
    const { kill, bus, close } = await start({ publishTimeout: '1h' });
    await kill();
    const publishing = bus.publish(new CityUpdated(1)).catch((error: unknown) => error);
    await sleep(100);
    await close();
    expect(await publishing).toBeInstanceOf(EventBusClosedError);
  });
});

describe('a subscription that is made while Redis is away', () => {
  const subjects: [string, typeof CityUpdated | typeof CityViewed | string, object][] = [
    ['of a broadcast event', CityUpdated, {}],
    ['of a pattern, with a connection of its own', '**', { overflow: 'wait' }],
    ['of a group', CityViewed, { group: 'ranking' }],
    ['of a durable event, to every replica', CityViewed, { delivery: 'broadcast' }],
  ];

  it.each(subjects)('ends with the reason of its signal: %s', async (_, subject, options) => {
    const { kill, bus } = await start({ publishTimeout: '1h' });
    await kill();
    const controller = new AbortController();
    const reason = new Error('enough');
    const given = { ...options, signal: controller.signal };
    const making = bus.subscribe(subject as typeof CityUpdated, () => undefined, given);
    setTimeout(() => controller.abort(reason), 50);
    await expect(making).rejects.toBe(reason);
  });

  it.each(subjects)('ends at shutdown: %s', async (_, subject, options) => {
    const { kill, bus, close } = await start({ publishTimeout: '1s' });
    await kill();
    const making = bus.subscribe(subject as typeof CityUpdated, () => undefined, options);
    const outcome = making.catch((error: unknown) => error);
    await sleep(50);
    await close();
    expect(await outcome).toBeInstanceOf(EventBusClosedError);
  });
});
