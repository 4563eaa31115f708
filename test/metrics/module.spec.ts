import 'reflect-metadata';
import { channel } from 'node:diagnostics_channel';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { AggregatorRegistry, Counter, register, Registry } from 'prom-client';
import {
  CacheModule,
  cacheChannel,
  COMMAND_CHANNEL,
  CONNECTION_CHANNEL,
  getRedisToken,
  LockModule,
  lockChannel,
  PubSubModule,
  pubsubChannel,
  RedisModule,
  type RedisClient,
} from 'rednest';
import { MetricsConfigurationError, RedisMetrics, RedisMetricsModule } from 'rednest/metrics';
import { startRedis, type RedisServer } from 'rednest/testing';
import { map } from 'rxjs';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
import { Exposition } from './fixtures/exposition.js';
import { startMeasured, startServed } from './fixtures/measured-application.js';

const opened = new Opened();
let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const redis = () => ({ ...server.options });

const SECRET = Symbol('secret');

@Injectable()
class ScraperGuard implements CanActivate {
  constructor(@Inject(SECRET) private readonly secret: string) {}

  canActivate(context: ExecutionContext): boolean {
    return context.getArgByIndex<{ headers: Record<string, string> }>(0).headers['x-who'] === this.secret;
  }
}

async function problemsOf(options: unknown): Promise<string[]> {
  const imports = [RedisModule.forRoot(redis()), RedisMetricsModule.forRoot(options as never)];
  const error: unknown = await startApplication(imports).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(MetricsConfigurationError);
  return (error as MetricsConfigurationError).problems.map(({ option }) => option);
}

describe.each(['express', 'fastify'] as const)('GET /metrics on %s', (adapter) => {
  it('answers in the text format, past interceptors and versions', async () => {
    const { get } = await startServed(opened, adapter, {
      redis: redis(),
      metrics: { labels: { region: 'eu' } },
      configure: (app) => {
        app.enableVersioning();
        app.useGlobalInterceptors({
          intercept: (_, next) => next.handle().pipe(map((data: unknown) => ({ data }))),
        });
      },
    });
    const response = await get('/metrics');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain;.*version=0\.0\.4/);
    expect(response.headers.get('content-type')).toContain('charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const metrics = new Exposition(await response.text());
    expect(metrics.value('rednest_connection_state', { state: 'ready', region: 'eu' })).toBe(1);
    expect((await get('/metrics', { method: 'POST' })).status).toBe(404);
  });

  it('is elsewhere, behind guards, or nowhere', async () => {
    const metrics = {
      path: 'internal/metrics',
      guards: [ScraperGuard],
      extraProviders: [{ provide: SECRET, useValue: 'scraper' }],
    };
    const { get } = await startServed(opened, adapter, { redis: redis(), metrics });
    expect((await get('/internal/metrics')).status).toBe(403);
    expect((await get('/internal/metrics', { headers: { 'x-who': 'scraper' } })).status).toBe(200);
    expect((await get('/metrics')).status).toBe(404);
    const many = await startServed(opened, adapter, { redis: redis(), metrics: { path: ['a', '/b'] } });
    expect([(await many.get('/a')).status, (await many.get('/b')).status]).toEqual([200, 200]);
    const silent = await startServed(opened, adapter, { redis: redis(), metrics: { path: false } });
    expect((await silent.get('/metrics')).status).toBe(404);
  });
});

describe('RedisMetricsModule', () => {
  it('has no metrics of modules that are not there, and leaves the global registry alone', async () => {
    const { scrape } = await startMeasured(opened, { redis: redis() });
    const names = [...(await scrape()).families.keys()];
    expect(names.filter((name) => /cache|lock|events|encryption|process/.test(name))).toEqual([]);
    expect(names).toContain('rednest_command_duration_seconds');
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  it('keeps two applications of a process apart', async () => {
    const first = await startMeasured(opened, { redis: redis() });
    const second = await startMeasured(opened, { redis: redis() });
    await first.app.get<RedisClient>(getRedisToken()).set('apart', '1');
    await second.app.get<RedisClient>(getRedisToken()).get('apart');
    const counts = async ({ scrape }: typeof first) => {
      const metrics = await scrape();
      return ['set', 'get'].map((command) =>
        metrics.value('rednest_command_duration_seconds_count', { command }),
      );
    };
    expect(await counts(first)).toEqual([1, undefined]);
    expect(await counts(second)).toEqual([undefined, 1]);
  });

  it('registers in a registry that is given, and leaves it as it was at shutdown', async () => {
    const registry = new Registry();
    const own = new Counter({ name: 'orders_total', help: 'Orders.', registers: [registry] });
    own.inc(3);
    const imports = [
      RedisModule.forRoot(redis()),
      RedisMetricsModule.forRootAsync({ path: false, useFactory: () => ({ registry, prefix: 'shop_' }) }),
    ];
    const { app } = await startApplication(imports);
    expect(app.get(RedisMetrics).registry).toBe(registry);
    const metrics = new Exposition(await registry.metrics());
    expect(metrics.value('orders_total')).toBe(3);
    expect(metrics.value('shop_connection_state', { state: 'ready' })).toBe(1);
    registry.resetMetrics();
    await app.close();
    expect(registry.getMetricsAsArray()).toHaveLength(1);
  });

  it('speaks OpenMetrics where the registry does', async () => {
    const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const { app, metrics: its } = await startMeasured(opened, {
      redis: redis(),
      metrics: { registry },
      imports: [LockModule.forRoot()],
    });
    for (let scrape = 0; scrape < 2; scrape++) {
      const text = await its.text();
      expect(text).toContain('# TYPE rednest_lock_acquired counter\nrednest_lock_acquired_total 0\n');
      expect(text).toMatch(/# EOF\n$/);
    }
    await app.close();
    expect(registry.getMetricsAsArray()).toEqual([]);
  });

  it("registers prom-client's metrics of the process, once", async () => {
    const { metrics } = await startMeasured(opened, {
      redis: redis(),
      metrics: { defaultMetrics: true, labels: { region: 'eu' } },
    });
    expect(await metrics.text()).toMatch(/^process_resident_memory_bytes\{region="eu"\} \d+$/m);
  });

  it('listens only until the shutdown', async () => {
    const imports = [CacheModule.forRoot({ namespace: 'app' }), LockModule.forRoot(), PubSubModule.forRoot()];
    const started = await startMeasured(opened, { redis: redis(), imports });
    const channels = [
      COMMAND_CHANNEL,
      CONNECTION_CHANNEL,
      cacheChannel('read'),
      cacheChannel('factory'),
      lockChannel('acquired'),
      pubsubChannel('handled'),
    ].map((name) => channel(name));
    expect(channels.map(({ hasSubscribers }) => hasSubscribers)).toEqual(channels.map(() => true));
    // What is counted anyway is not listened for.
    expect(channel(cacheChannel('hit')).hasSubscribers).toBe(false);
    await started.app.close();
    expect(channels.map(({ hasSubscribers }) => hasSubscribers)).toEqual(channels.map(() => false));
  });

  it('lists all that is wrong with its options', async () => {
    const wrong = {
      path: 5,
      registry: {},
      prefix: '1-',
      labels: { command: 'x' },
      buckets: { commands: [5, 1], work: [] },
      defaultMetrics: 'yes',
      server: {},
      cacheFor: 'x',
      timeout: 0,
      unknown: 1,
    };
    const options = await problemsOf(wrong);
    expect(options.toSorted()).toEqual(
      ['buckets.commands', 'buckets.work', 'cacheFor', 'defaultMetrics', 'labels', 'path', 'prefix'].concat([
        'registry',
        'server',
        'timeout',
        'unknown',
      ]),
    );
    for (const labels of [{ 'a-b': 'x' }, { __a: 'x' }, { le: 'x' }, { a: 1 }, ['a'], null])
      expect(await problemsOf({ labels })).toEqual(['labels']);
    for (const path of ['', [], ['/a', ''], true]) expect(await problemsOf({ path })).toEqual(['path']);
  });

  it('takes its path from the module, and not from what makes the options', async () => {
    const useFactory = () => ({ timeout: 1_000, path: '/internal' });
    const imports = [RedisModule.forRoot(redis()), RedisMetricsModule.forRootAsync({ useFactory })];
    await expect(startApplication(imports)).rejects.toThrow(/path: is not an option/);
  });

  it('is put together of several processes: what each counts is added, what all are told is not', async () => {
    const imports = [CacheModule.forRoot({ namespace: 'app' })];
    const started = [1, 2].map(() =>
      startMeasured(opened, { redis: redis(), imports, metrics: { timeout: '15s' } }),
    );
    const processes = await Promise.all(
      (await Promise.all(started)).map(({ metrics }) => metrics.registry.getMetricsAsJSON()),
    );
    const together = new Exposition(await AggregatorRegistry.aggregate(processes).metrics());
    expect(together.value('rednest_connection_state', { state: 'ready' })).toBe(2);
    const used = together.value('rednest_server_memory_used_bytes') ?? 0;
    const values = processes.map(
      (metrics) => metrics.find(({ name }) => name === 'rednest_server_memory_used_bytes')?.values[0]?.value,
    );
    expect(used).toBe(Math.max(...(values as number[])));
    expect(together.value('rednest_cache_available')).toBe(1);
    expect(together.value('rednest_scrape_answered', { source: 'server' })).toBe(1);
  });

  it('does not take the names of others, nor is imported twice', async () => {
    const registry = new Registry();
    const taken = [
      'rednest_command_duration_seconds',
      'rednest_command_errors_total',
      'process_cpu_user_seconds_total',
    ];
    for (const name of taken) registry.registerMetric(new Counter({ name, help: 'Taken.', registers: [] }));
    expect(await problemsOf({ registry, defaultMetrics: true })).toEqual(['prefix', 'defaultMetrics']);
    expect(registry.getMetricsAsArray()).toHaveLength(3);
    expect(channel(COMMAND_CHANNEL).hasSubscribers).toBe(false);
    const twice = [1, 2].map((timeout) => RedisMetricsModule.forRoot({ timeout, path: false }));
    await expect(startApplication([RedisModule.forRoot(redis()), ...twice])).rejects.toThrow(
      /imported twice/,
    );
  });
});
