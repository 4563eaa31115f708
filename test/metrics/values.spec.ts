import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CacheModule,
  CacheService,
  COMMAND_CHANNEL,
  EncryptionModule,
  EncryptionService,
  EventBus,
  getRedisConnectionToken,
  LockModule,
  LockService,
  PubSubModule,
  type CommandEvent,
  type RedisConnection,
} from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { killClients } from '../support/server-view.js';
import { startMeasured, type MeasuredOptions } from './fixtures/measured-application.js';

const opened = new Opened();
let server: RedisServer;

beforeAll(async () => {
  server = await startRedis({ config: { maxmemory: '64mb', 'maxmemory-policy': 'allkeys-lru' } });
});
afterAll(() => server.stop());

async function start(imports: MeasuredOptions['imports'] = [], metrics: MeasuredOptions['metrics'] = {}) {
  const started = await startMeasured(opened, {
    redis: { ...server.options },
    metrics: { timeout: '15s', ...metrics },
    imports,
  });
  const connection = started.app.get<RedisConnection>(getRedisConnectionToken());
  await connection.whenReady(5_000);
  return { ...started, connection, client: connection.client };
}

const thrown = (reason: unknown): unknown => reason;

describe('commands', () => {
  it('are counted by their names, with how long they took and how they failed', async () => {
    const { client, scrape } = await start();
    await Promise.all(Array.from({ length: 25 }, (_, index) => client.set(`commands:${index}`, 'x')));
    await Promise.all(Array.from({ length: 7 }, (_, index) => client.get(`commands:${index}`)));
    for (let run = 0; run < 3; run++) await client.incr('commands:0').catch(thrown);
    await client.lpush('commands:0', 'x').catch(thrown);
    const metrics = await scrape();
    const count = (command: string) =>
      metrics.value('rednest_command_duration_seconds_count', { connection: 'default', command });
    expect([count('set'), count('get'), count('incr'), count('lpush')]).toEqual([25, 7, 3, 1]);
    expect(metrics.value('rednest_command_duration_seconds_sum', { command: 'set' })).toBeGreaterThan(0);
    expect(metrics.value('rednest_command_duration_seconds_sum', { command: 'set' })).toBeLessThan(60);
    expect(metrics.value('rednest_command_errors_total', { command: 'lpush' })).toBe(1);
    expect(metrics.all('rednest_command_errors_total', { command: 'incr' })).toEqual([
      expect.objectContaining({ labels: expect.objectContaining({ code: 'REDIS_COMMAND' }), value: 3 }),
    ]);
    expect(metrics.all('rednest_command_errors_total', { command: 'set' })).toEqual([]);
  });

  it('have a bounded number of names, and any text in them', async () => {
    const { client, connection, scrape } = await start();
    await client.call('no"such\\\n').catch(thrown);
    const strange = await scrape();
    expect(strange.value('rednest_command_duration_seconds_count', { command: 'no"such\\\n' })).toBe(1);
    const tell = (command: string): void => {
      const { id, name } = connection;
      const event: CommandEvent = { connectionId: id, connection: name, command, took: 1 };
      channel(COMMAND_CHANNEL).publish(event);
    };
    for (let number = 0; number < 1_000; number++) tell(`made-up-${number}`);
    const metrics = await scrape();
    const series = metrics.all('rednest_command_duration_seconds_count');
    expect(series).toHaveLength(201);
    const all = series.reduce((total, { value }) => total + value, 0);
    expect(all).toBeGreaterThanOrEqual(1_001);
    expect(metrics.value('rednest_command_duration_seconds_count', { command: 'other' })).toBeGreaterThan(
      790,
    );
  });

  it('are put into buckets by the bounds that are given, what is equal to one below it', async () => {
    const { connection, scrape } = await start([], { buckets: { commands: ['2ms', 10] } });
    const { id: connectionId, name } = connection;
    for (const took of [1, 2, 2.1, 10, 11])
      channel(COMMAND_CHANNEL).publish({ connectionId, connection: name, command: 'made-up', took });
    const metrics = await scrape();
    const buckets = metrics.all('rednest_command_duration_seconds_bucket', { command: 'made-up' });
    expect(buckets.map(({ labels: { le }, value }) => [le, value])).toEqual([
      ['0.002', 2],
      ['0.01', 4],
      ['+Inf', 5],
    ]);
    expect(metrics.value('rednest_command_duration_seconds_sum', { command: 'made-up' })).toBeCloseTo(0.0261);
  });
});

describe('connections', () => {
  it('are shown in their state, with what was lost and came back', async () => {
    const { connection, scrape } = await start();
    const name = { connection: 'default' };
    const before = await scrape();
    expect(before.value('rednest_connection_state', { ...name, state: 'ready' })).toBe(1);
    expect(before.all('rednest_connection_state', name).map(({ value }) => value)).toEqual(
      expect.arrayContaining([0, 0, 0, 0, 0, 1]),
    );
    expect(before.all('rednest_connection_losses_total')).toEqual([]);
    await killClients(server, ':default').then((killed) => expect(killed).toBe(1));
    await eventually(() => connection.state === 'reconnecting', 10_000).catch(thrown);
    await eventually(async () => {
      const after = await scrape();
      return after.value('rednest_connection_reconnects_total', { ...name, role: 'client' }) === 1;
    }, 15_000);
    const after = await scrape();
    expect(after.value('rednest_connection_losses_total', { ...name, role: 'client' })).toBe(1);
    expect(after.value('rednest_connection_state', { ...name, state: 'ready' })).toBe(1);
  });

  it('have dedicated ones, in use and free', async () => {
    const { connection, scrape } = await start();
    const figures = async () => {
      const metrics = await scrape();
      const of = (state: string) => metrics.value('rednest_pool_connections', { state });
      return [of('used'), of('free'), metrics.value('rednest_pool_waiting')];
    };
    expect(await figures()).toEqual([0, 0, 0]);
    await connection.withDedicated(async () => expect(await figures()).toEqual([1, 0, 0]));
    expect(await figures()).toEqual([0, 1, 0]);
  });
});

describe('the cache', () => {
  it('is counted by cache, as it counts itself', async () => {
    const tours = CacheModule.forFeature({ name: 'tours', ttl: '1m' });
    const { app, scrape } = await start([CacheModule.forRoot({ namespace: 'app', ttl: '1m' }), tours]);
    const cache = app.get(CacheService);
    await eventually(() => cache.stats().coherent);
    const make = () => Promise.resolve({ city: 'Lisboa' });
    const fail = () => Promise.reject(new Error('no such city'));
    for (let index = 0; index < 5; index++) await cache.getOrSet(`city:${index}`, make);
    for (let run = 0; run < 3; run++) await cache.getOrSet('city:0', make);
    await cache.getOrSet('city:x', fail).catch(thrown);
    await cache.delete('city:1');
    await cache.get('city:1');
    const metrics = await scrape();
    const of = (name: string, labels = {}) =>
      metrics.value(`rednest_cache_${name}`, { cache: 'default', ...labels });
    // What was stored is read once, to be told of its changes; then it is local.
    expect(of('hits_total', { tier: 'redis' })).toBe(1);
    expect(of('hits_total', { tier: 'local' })).toBe(2);
    expect(of('misses_total')).toBe(7);
    expect(of('factory_runs_total')).toBe(6);
    expect(of('factory_errors_total')).toBe(1);
    expect(of('stores_total')).toBe(5);
    expect(of('invalidations_total')).toBe(1);
    expect(of('stale_total')).toBe(0);
    expect(of('local_entries')).toBe(1);
    expect(of('local_bytes')).toBe(cache.stats().localBytes);
    expect(of('local_bytes')).toBeGreaterThan(0);
    expect([of('available'), of('coherent'), of('pending_invalidations')]).toEqual([1, 1, 0]);
    expect(of('factory_duration_seconds_count')).toBe(6);
    expect(metrics.value('rednest_cache_misses_total', { cache: 'tours' })).toBe(0);
    expect(metrics.value('rednest_cache_read_duration_seconds_count')).toBeGreaterThanOrEqual(7);
    expect(metrics.value('rednest_cache_read_keys_total')).toBeGreaterThanOrEqual(7);
    expect(metrics.value('rednest_cache_reads_unanswered_total')).toBe(0);
  });

  it('is not called cut off from a Redis that it does not have', async () => {
    const { scrape } = await startMeasured(opened, {
      redis: { ...server.options, name: 'sessions' },
      imports: [CacheModule.forRoot({ namespace: 'app' })],
    });
    const metrics = await scrape();
    expect(metrics.value('rednest_cache_local_entries')).toBe(0);
    expect(metrics.all('rednest_cache_available')).toEqual([]);
    expect(metrics.all('rednest_cache_coherent')).toEqual([]);
  });

  it('tells of one read for many keys', async () => {
    const { app, scrape } = await start([CacheModule.forRoot({ namespace: 'app', local: false })]);
    const cache = app.get(CacheService);
    const before = await scrape();
    await cache.getMany(Array.from({ length: 50 }, (_, index) => `many:${index}`));
    const after = await scrape();
    const added = (name: string) => (after.value(name) ?? 0) - (before.value(name) ?? 0);
    expect(added('rednest_cache_read_duration_seconds_count')).toBe(1);
    // One more: the stamp of the cache's generation.
    expect(added('rednest_cache_read_keys_total')).toBeGreaterThanOrEqual(50);
  });
});

describe('the locks', () => {
  it('are counted, with waits and holds', async () => {
    const { app, scrape } = await start([LockModule.forRoot({ namespace: 'app:lock' })]);
    const locks = app.get(LockService);
    const first = await locks.acquire('tour:1');
    const waiting = locks.acquire('tour:1');
    await eventually(() => locks.stats().waiting === 1);
    const during = await scrape();
    expect([during.value('rednest_lock_held'), during.value('rednest_lock_waiting')]).toEqual([1, 1]);
    await first.release();
    const second = await waiting;
    await locks.acquire('tour:1', { wait: 20 }).catch(thrown);
    await second.release();
    const short = await locks.acquire('tour:2', { ttl: 100, renew: false });
    await eventually(() => short.signal.aborted);
    const metrics = await scrape();
    const of = (name: string, labels = {}) => metrics.value(`rednest_lock_${name}`, labels);
    expect(of('acquired_total')).toBe(3);
    expect(of('contended_total')).toBe(2);
    expect(of('failed_total', { code: 'LOCK_TIMEOUT' })).toBe(1);
    expect(of('lost_total', { reason: 'expired' })).toBe(1);
    expect(of('wait_duration_seconds_count')).toBe(4);
    expect(of('wait_duration_seconds_sum')).toBeGreaterThanOrEqual(0.02);
    expect(of('hold_duration_seconds_count')).toBe(2);
    expect([of('held'), of('waiting')]).toEqual([0, 0]);
  });
});

describe('the event bus', () => {
  it('is counted by topic, and its groups are asked for', async () => {
    const topics = { 'order.paid': { delivery: 'durable', partitions: 1 } } as const;
    const { app, scrape } = await start(
      [PubSubModule.forRoot({ namespace: 'app:events', topics, backoff: { initial: 10 } })],
      { cacheFor: 0 },
    );
    const bus = app.get(EventBus);
    let isReady = true;
    let handled = 0;
    await bus.subscribe(
      'order.paid',
      () => {
        if (!isReady) throw new Error('not yet');
        handled++;
      },
      { group: 'billing', retries: 1 },
    );
    for (let order = 0; order < 4; order++) await bus.publish('order.paid', { order });
    await eventually(() => handled === 4, 15_000);
    isReady = false;
    await bus.publish('order.paid', { order: 5 });
    await eventually(() => bus.counts.dead === 1, 15_000);
    await bus.publish('order paid', {}).catch(thrown);
    await eventually(async () => (await bus.stats()).groups[0]?.pending === 0, 15_000);
    const metrics = await scrape();
    const of = (name: string, labels = {}) =>
      metrics.value(`rednest_events_${name}`, { topic: 'order.paid', ...labels });
    expect(of('published_total')).toBe(5);
    expect(of('handled_total')).toBe(4);
    expect(of('failed_total')).toBe(2);
    expect(of('retried_total')).toBe(1);
    expect(of('dead_total')).toBe(1);
    expect(of('publish_duration_seconds_count')).toBe(5);
    expect(of('handling_duration_seconds_count')).toBe(6);
    expect(metrics.value('rednest_events_dropped_total')).toBe(0);
    const group = { group: 'billing' };
    expect([of('group_lag', group), of('group_pending', group)]).toEqual([0, 0]);
    expect(of('group_oldest_pending_seconds', group)).toBe(0);
    expect(of('group_consumers', group)).toBe(1);
    expect(metrics.value('rednest_scrape_answered', { source: 'events' })).toBe(1);
  });

  it('has a bounded number of topics', async () => {
    const { app, scrape } = await start([PubSubModule.forRoot({ namespace: 'app:events' })]);
    const bus = app.get(EventBus);
    for (let user = 0; user < 130; user++) await bus.publish(`user.${user}`, { user });
    const series = (await scrape()).all('rednest_events_published_total');
    expect(series).toHaveLength(101);
    expect(series.at(-1)).toMatchObject({ labels: { topic: 'other' }, value: 30 });
  });
});

describe('the encryption', () => {
  it('is counted as it counts itself', async () => {
    const key = randomBytes(32).toString('base64');
    const { app, scrape } = await start([EncryptionModule.forRoot({ namespace: 'app', key })]);
    const encryption = app.get(EncryptionService);
    const envelopes = ['a', 'b', 'c'].map((text) => encryption.encrypt(text));
    encryption.decrypt(envelopes[0]!);
    expect(() => encryption.decrypt(envelopes[1]!.fill(1, 30))).toThrow();
    const metrics = await scrape();
    const figures = ['encrypted', 'decrypted', 'refused', 'reencrypted', 'migrated'];
    const values = figures.map((figure) => metrics.value(`rednest_encryption_${figure}_total`));
    expect(values).toEqual([3, 1, 1, 0, 0]);
  });
});

describe('the server', () => {
  it('tells of its memory, what it evicted, and its clients', async () => {
    const { scrape } = await start();
    const metrics = await scrape();
    const node = { connection: 'default', node: 'default' };
    const of = (name: string) => metrics.value(`rednest_server_${name}`, node) ?? Number.NaN;
    expect(of('memory_limit_bytes')).toBe(64 * 1024 * 1024);
    expect(of('memory_used_bytes')).toBeGreaterThan(500_000);
    expect(of('memory_ratio')).toBeCloseTo(of('memory_used_bytes') / of('memory_limit_bytes'), 3);
    expect(of('evicted_keys_total')).toBe(0);
    expect(of('connected_clients')).toBeGreaterThanOrEqual(1);
    expect(metrics.value('rednest_scrape_answered', { source: 'server', connection: 'default' })).toBe(1);
  });

  it('is not asked where that is not wanted', async () => {
    const { scrape } = await start([], { server: false });
    const metrics = await scrape();
    expect([...metrics.families.keys()].filter((name) => name.includes('server'))).toEqual([]);
    expect(metrics.all('rednest_command_duration_seconds_count', { command: 'info' })).toEqual([]);
  });
});
