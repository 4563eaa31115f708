import { describe, expect, it, jest } from '@jest/globals';
import {
  CacheModule,
  CacheService,
  EventBus,
  getRedisConnectionToken,
  PubSubModule,
  type Duration,
  type RedisConnection,
} from 'rednest';
import { startCluster, startSentinel } from 'rednest/testing';
import type { Redis } from 'ioredis';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { subscribeUnending } from '../support/unending-handler.js';
import { startMeasured } from './fixtures/measured-application.js';

const opened = new Opened();

const topics = { 'order.paid': { delivery: 'durable', partitions: 1 } } as const;

interface Times {
  cacheFor?: Duration;
  timeout?: Duration;
  commandTimeout?: Duration;
}

async function start({ cacheFor = 0, timeout = '300ms', commandTimeout = '30s' }: Times = {}) {
  const server = await opened.server({});
  const started = await startMeasured(opened, {
    redis: { ...server.options, commandTimeout },
    metrics: { timeout, cacheFor },
    imports: [CacheModule.forRoot({ namespace: 'app', budget: '50ms' }), PubSubModule.forRoot({ topics })],
  });
  const bus = started.app.get(EventBus);
  await bus.subscribe('order.paid', () => undefined, { group: 'billing' });
  const connection = started.app.get<RedisConnection>(getRedisConnectionToken());
  return { ...started, server, bus, connection };
}

/** How often the server has run which command, since `CONFIG RESETSTAT`. */
async function calls(admin: Redis): Promise<Map<string, number>> {
  const text = await admin.info('commandstats');
  return new Map(
    Array.from(text.matchAll(/^cmdstat_(.+):calls=(\d+)/gm), ([, name = '', count]) => [name, Number(count)]),
  );
}

/** What Redis has been asked for at scrapes, as it counts itself. */
const SCRAPED = 'rednest_command_duration_seconds_count';

describe('a scrape', () => {
  it('leaves out what a paused Redis does not answer, with what is known, and has it again after', async () => {
    const { app, scrape, server } = await start();
    const cache = app.get(CacheService);
    await cache.getOrSet('a', () => Promise.resolve(1));
    const isWhole = async () => {
      const metrics = await scrape();
      expect(metrics.value('rednest_server_memory_used_bytes')).toBeGreaterThan(0);
      expect(metrics.value('rednest_events_group_consumers')).toBe(1);
      expect(metrics.all('rednest_scrape_answered').map(({ value }) => value)).toEqual([1, 1]);
    };
    await eventually(isWhole, 15_000);
    server.pause();
    const scrapes = await (async () => {
      try {
        await cache.get('not here');
        return await Promise.all([scrape(), scrape(), scrape()]);
      } finally {
        server.resume();
      }
    })();
    for (const during of scrapes) {
      expect(during.all('rednest_server_memory_used_bytes')).toEqual([]);
      expect(during.all('rednest_events_group_lag')).toEqual([]);
      expect(during.value('rednest_scrape_answered', { source: 'server' })).toBe(0);
      expect(during.value('rednest_scrape_answered', { source: 'events' })).toBe(0);
      expect(during.value('rednest_cache_stores_total')).toBe(1);
      expect(during.value('rednest_connection_state', { state: 'ready' })).toBe(1);
      expect(during.value('rednest_cache_reads_unanswered_total')).toBe(1);
    }
    await eventually(isWhole, 15_000);
  });

  it('asks a silent Redis once, however often it is scraped meanwhile', async () => {
    const { scrape, server, connection } = await start({ commandTimeout: '500ms', timeout: '700ms' });
    // Both have answered, and nothing is kept.
    await eventually(async () => {
      const before = await scrape();
      expect(before.all('rednest_scrape_answered').map(({ value }) => value)).toEqual([1, 1]);
    }, 15_000);
    const admin = await server.admin();
    await admin.config('RESETSTAT');
    server.pause();
    try {
      for (let scrapes = 0; scrapes < 5; scrapes++) {
        const during = await scrape();
        expect(during.all('rednest_scrape_answered').map(({ value }) => value)).toEqual([0, 0]);
      }
    } finally {
      server.resume();
    }
    // What a client has sent is done in order.
    await connection.client.ping();
    expect((await calls(admin)).get('info')).toBe(3);
  });

  it('answers at once while Redis is gone, with nothing of what it said before, and shows it', async () => {
    // It would wait for as long, and the answers are kept for as long.
    const { scrape, server, connection } = await start({ timeout: '10m', cacheFor: 600_000 });
    const before = await scrape();
    expect(before.all('rednest_scrape_answered').map(({ value }) => value)).toEqual([1, 1]);
    await server.kill();
    await eventually(() => connection.state === 'reconnecting');
    const metrics = await scrape();
    expect(metrics.value('rednest_connection_state', { state: 'reconnecting' })).toBe(1);
    expect(metrics.all('rednest_scrape_answered').map(({ value }) => value)).toEqual([0, 0]);
    expect(metrics.all('rednest_server_connected_clients')).toEqual([]);
    await server.restart();
    await eventually(async () => {
      const after = await scrape();
      expect(after.value('rednest_server_connected_clients')).toBeGreaterThan(0);
      expect(after.value('rednest_connection_reconnects_total', { role: 'client' })).toBe(1);
    }, 15_000);
  });

  it('asks anew on a new connection, however long answers are kept', async () => {
    const { bus, scrape, server } = await start({ cacheFor: '10m', timeout: '5s' });
    const handler = await subscribeUnending(bus, 'order.paid', 'shipping');
    const pending = async () => (await scrape()).value('rednest_events_group_pending', { group: 'shipping' });
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

  it('asks once for all that scrape meanwhile, and not again while the answer is fresh', async () => {
    const { scrape, server } = await start({ cacheFor: 60_000 });
    await Promise.all(Array.from({ length: 20 }, () => scrape()));
    await eventually(async () => {
      const metrics = await scrape();
      expect(metrics.value('rednest_scrape_answered', { source: 'server' })).toBe(1);
    }, 15_000);
    const metrics = await scrape();
    expect(metrics.value(SCRAPED, { command: 'info' })).toBe(3);
    server.pause();
    try {
      const during = await scrape();
      expect(during.value('rednest_server_memory_used_bytes')).toBeGreaterThan(0);
    } finally {
      server.resume();
    }
  });

  it('leaves out what a user may not ask for', async () => {
    // The driver writes there that it cannot ask whether the server is ready.
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const acl = ['app on >secret ~* &* +@all -info'];
    const server = await opened.server({ acl });
    const { scrape } = await startMeasured(opened, {
      redis: { ...server.options, username: 'app', password: 'secret' },
    });
    warn.mockRestore();
    await scrape();
    // Of the scrape before: what a scrape asks is counted when it is answered.
    const metrics = await scrape();
    expect(metrics.all('rednest_server_memory_used_bytes')).toEqual([]);
    expect(metrics.value('rednest_scrape_answered', { source: 'server' })).toBe(0);
    expect(metrics.value('rednest_command_errors_total', { command: 'info', code: 'REDIS_PERMISSION' })).toBe(
      3,
    );
  });
});

describe('on a Cluster', () => {
  it('each master tells of itself, and one that is silent is left out', async () => {
    const cluster = await startCluster();
    opened.add({ [Symbol.asyncDispose]: () => cluster.stop() });
    const { scrape } = await startMeasured(opened, {
      redis: { ...cluster.options },
      metrics: { timeout: '500ms', cacheFor: 0 },
    });
    const nodes = async () =>
      (await scrape()).all('rednest_server_memory_used_bytes').map(({ labels }) => labels['node']);
    const all = await eventually(async () => {
      const found = await nodes();
      return found.length === 3 && found;
    }, 15_000);
    expect(all.every((node) => /:\d+$/.test(node ?? ''))).toBe(true);
    const kept = await startMeasured(opened, {
      // The driver keeps the client of a master that is lost, and tries again.
      redis: { ...cluster.options, driver: { clusterNodeRetryStrategy: () => 200 } },
      metrics: { timeout: '500ms', cacheFor: '10m' },
    });
    const keptNodes = async () =>
      (await kept.scrape()).all('rednest_server_memory_used_bytes').map(({ labels }) => labels['node']);
    await eventually(async () => expect(await keptNodes()).toEqual(all), 15_000);
    const [silent] = await cluster.masters();
    silent!.pause();
    try {
      const others = all.filter((node) => !node?.endsWith(`:${silent!.port}`));
      expect(others).toHaveLength(2);
      await eventually(async () => expect(await nodes()).toEqual(others), 15_000);
    } finally {
      silent!.resume();
    }
    // What one has said that is gone is not told again, however long answers are kept.
    await silent!.kill();
    await eventually(async () => expect(await keptNodes()).toHaveLength(2), 15_000);
  });
});

describe('behind Sentinels', () => {
  it('figures are those of the server that is the master now', async () => {
    const group = await startSentinel();
    opened.add({ [Symbol.asyncDispose]: () => group.stop() });
    const { scrape } = await startMeasured(opened, {
      redis: { ...group.options },
      metrics: { timeout: '5s', cacheFor: 600_000 },
    });
    const node = async () => {
      const [series] = (await scrape()).all('rednest_server_evicted_keys_total', { connection: 'default' });
      return series?.labels['node'];
    };
    const before = await group.master();
    expect(await node()).toMatch(new RegExp(`:${before.port}$`));
    await before.kill();
    const after = await eventually(async () => {
      const master = await group.master();
      return master.port !== before.port && master;
    }, 20_000);
    await eventually(async () => expect(await node()).toMatch(new RegExp(`:${after.port}$`)), 15_000);
  });
});
