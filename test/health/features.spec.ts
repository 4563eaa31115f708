import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import {
  CacheModule,
  Caches,
  EncryptionModule,
  Event,
  EventBus,
  LockModule,
  LockService,
  PubSubModule,
  Subscribe,
} from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { subscribeUnending } from '../support/unending-handler.js';
import { startHealth, stateOf } from './fixtures/health-application.js';

const opened = new Opened();

@Event('health.viewed', { delivery: 'durable' })
class Viewed {
  id!: number;
}

class Handlers {
  @Subscribe(Viewed, { group: 'ranking' })
  count(): void {}
}

const modules = () => [
  CacheModule.forRoot({ namespace: 'app' }),
  LockModule.forRoot(),
  PubSubModule.forRoot(),
  EncryptionModule.forRoot({ key: randomBytes(32).toString('hex') }),
];

describe('the modules of rednest', () => {
  it('tell how they are, and none makes the application unready', async () => {
    const server = await opened.server({});
    const { app, ready } = await startHealth(opened, {
      redis: { ...server.options, startup: 'optional' },
      health: { cacheFor: 50, timeout: 500 },
      imports: modules(),
      providers: [Handlers],
    });
    await using lease = await eventually(() => app.get(LockService).acquire('a'));
    expect(lease.lost).toBeUndefined();
    const { body } = await eventually(async () => {
      const answer = await ready();
      expect(stateOf(answer.body.details['cache'])).toBe('up');
      expect(answer.body.details['events']).toMatchObject({ lag: 0 });
      return answer;
    });
    expect(body.details).toMatchObject({
      cache: { caches: { default: { available: true, coherent: true, pendingInvalidations: 0 } } },
      locks: { status: 'up', held: 1, waiting: 0 },
      events: { status: 'up', failed: 0, dead: 0, lag: 0, pending: 0, unattended: 0 },
      encryption: { status: 'up', refused: 0 },
    });
    await server.kill();
    await eventually(async () => {
      const answer = await ready();
      expect(answer.status).toBe(200);
      expect(answer.body.details).toMatchObject({
        redis: { code: 'REDIS_UNAVAILABLE' },
        // Whether it has noticed by a read yet, or by its listener only.
        cache: { code: expect.stringMatching(/^CACHE_(?:UNAVAILABLE|INCOHERENT)$/) },
        events: { status: 'up', omitted: ['groups'] },
      });
    });
    await server.restart();
    await eventually(async () => {
      const { details } = (await ready()).body;
      expect(['redis', 'cache', 'events'].map((key) => stateOf(details[key]))).toEqual(['up', 'up', 'up']);
    }, 15_000);
  });

  it('are well where they are not there, or others stand in their place', async () => {
    const redis = (await opened.emptyServer()).options;
    const cacheOnly = await startHealth(opened, {
      redis: { ...redis, name: 'main' },
      // Without a connection of that name, in this process only.
      imports: [CacheModule.forRoot({ namespace: 'app' })],
    });
    const { body } = await cacheOnly.ready();
    expect(body.status).toBe('ok');
    expect(body.details['cache']).toEqual({ status: 'up', caches: { default: { shared: false } } });

    const { ready, log } = await startHealth(opened, {
      redis,
      imports: modules(),
      override: (testing) =>
        testing
          .overrideProvider(EventBus)
          .useValue({ publish: async () => undefined })
          .overrideProvider(LockService)
          .useValue({})
          .overrideProvider(Caches)
          .useValue({ get: () => undefined }),
    });
    for (let probe = 0; probe < 2; probe++) {
      const { status, body: answer } = await ready();
      expect(status).toBe(200);
      expect(answer.details).toMatchObject({
        events: { status: 'up', omitted: ['figures'] },
        locks: { status: 'up', omitted: ['figures'] },
        encryption: { status: 'up', refused: 0 },
      });
    }
    expect(log.texts('RedisHealthModule').toSorted()).toEqual([
      expect.stringMatching(/^'events' tells no figures: TypeError/),
      expect.stringMatching(/^'locks' tells no figures: TypeError/),
    ]);
  });

  it('are asked anew on a new connection, however long answers are kept', async () => {
    const server = await opened.server({});
    const { app, ready } = await startHealth(opened, {
      redis: server.options,
      health: { cacheFor: '10m' },
      imports: [PubSubModule.forRoot({ topics: { 'order.paid': { delivery: 'durable', partitions: 1 } } })],
    });
    const bus = app.get(EventBus);
    const handler = await subscribeUnending(bus, 'order.paid', 'billing');
    const pending = async () => (await ready()).body.details['events']?.['pending'];
    expect(await pending()).toBe(0);
    await handler.publish();
    expect(await pending()).toBe(0);
    await (await server.admin()).call('CLIENT', 'KILL', 'TYPE', 'normal');
    try {
      await eventually(async () => expect(await pending()).toBe(1), 15_000);
    } finally {
      handler.finish();
    }
  });

  it('tell of events that nobody handles any more', async () => {
    const server = await opened.emptyServer();
    const redis = server.options;
    const handling = await startHealth(opened, {
      redis,
      imports: [PubSubModule.forRoot()],
      providers: [Handlers],
    });
    await handling.app.get(EventBus).publish(Viewed, { id: 1 });
    await eventually(async () => {
      expect((await handling.ready()).body.details['events']).toMatchObject({ handled: 1, unattended: 0 });
    });
    await handling.app.close();
    const { app, ready } = await startHealth(opened, { redis, imports: [PubSubModule.forRoot()] });
    await app.get(EventBus).publish(Viewed, { id: 2 });
    await eventually(async () => {
      const { status, body } = await ready();
      expect(status).toBe(200);
      expect(stateOf(body.details['events'])).toBe('degraded');
      expect(body.details['events']).toMatchObject({ code: 'EVENTS_NO_CONSUMER', lag: 1, unattended: 1 });
    }, 15_000);
  });
});
