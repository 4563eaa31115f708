import 'reflect-metadata';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Module, Scope } from '@nestjs/common';
import { getRedisConnectionToken, getRedisToken, RedisModule, type RedisConnection } from 'rednest';
import {
  HealthConfigurationError,
  RedisHealthIndicator,
  RedisHealthModule,
  type RedisHealthModuleOptions,
  type RedisHealthRootOptions,
} from 'rednest/health';
import type { Redis } from 'ioredis';
import type { RedisServer } from 'rednest/testing';
import { guideAcl } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
import { startHealth } from './fixtures/health-application.js';

const opened = new Opened();

async function start(...imports: Parameters<typeof startApplication>[0]) {
  const redis = RedisModule.forRoot((await opened.emptyServer()).options);
  const { app } = await startApplication([redis, ...imports]);
  opened.add({ [Symbol.asyncDispose]: () => app.close() });
  return app;
}

async function problemsOf(starting: Promise<unknown>): Promise<Record<string, string>> {
  const error: unknown = await starting.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(HealthConfigurationError);
  const { problems, code } = error as HealthConfigurationError;
  expect(code).toBe('HEALTH_CONFIGURATION');
  return Object.fromEntries(problems.map(({ option, message }) => [option, message]));
}

describe('RedisHealthModule', () => {
  it('gives its indicator to all modules, or to its importers', async () => {
    @Injectable()
    class Status {
      constructor(readonly redis: RedisHealthIndicator) {}
    }
    @Module({ providers: [Status] })
    class Feature {}
    const app = await start(RedisHealthModule.forRoot(), Feature);
    const { redis } = await app.get(Status, { strict: false }).redis.check('redis');
    expect(redis).toMatchObject({ status: 'up', role: 'master', memory: { policy: 'noeviction' } });
    await expect(start(RedisHealthModule.forRoot({ isGlobal: false }), Feature)).rejects.toThrow(
      /RedisHealthIndicator/,
    );
  });

  it("sees everything with the guides' smallest ACL", async () => {
    const rules = `${guideAcl()} ${guideAcl('health')}`;
    const server = await opened.server({ acl: [`prober on >probe ${rules}`] });
    const redis = RedisModule.forRoot({ ...server.options, username: 'prober', password: 'probe' });
    const { app } = await startApplication([redis, RedisHealthModule.forRoot()]);
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    const { redis: found } = await app.get(RedisHealthIndicator).check('redis');
    expect(found).toMatchObject({ status: 'up', latency: expect.any(Number), role: 'master' });
    expect(found).not.toHaveProperty('omitted');
  });

  it.each([
    ['useFactory', { inject: ['ratio'], extraProviders: [{ provide: 'ratio', useValue: 0.5 }] }],
    ['useClass', {}],
  ])('takes options by %s', async (way, others) => {
    class Options {
      createRedisHealthOptions(): RedisHealthRootOptions {
        return { memory: false };
      }
    }
    const options =
      way === 'useClass' ? { useClass: Options } : { useFactory: () => ({ memory: false }) as const };
    const app = await start(RedisHealthModule.forRootAsync({ ...others, ...options, path: 'probes' }));
    const { redis } = await app.get(RedisHealthIndicator).check('redis');
    expect(redis).not.toHaveProperty('memory');
  });

  it('lists every problem at once', async () => {
    const wrong = {
      timeout: 0,
      memory: { degraded: 2, down: 1 },
      replication: { role: 'slave', maxLag: '1 mb', minReplicas: -1 },
      persistence: 'yes',
      connections: { default: { timeout: 'soon', cacheFor: 1 }, sessions: 5 },
      required: 'default',
      cacheFor: -1,
      details: 1,
      events: { maxLag: -1 },
      indicators: [1],
      shutdownDelay: 'x',
      cachefor: 1,
    };
    const problems = await problemsOf(start(RedisHealthModule.forRoot(wrong as never)));
    expect(Object.keys(problems).toSorted()).toEqual(
      [
        'timeout',
        'memory.degraded',
        'memory.down',
        'replication.role',
        'replication.maxLag',
        'replication.minReplicas',
        'persistence',
        'connections.default.timeout',
        'connections.default.cacheFor',
        'connections.sessions',
        'required',
        'cacheFor',
        'details',
        'events.maxLag',
        'indicators',
        'shutdownDelay',
        'cachefor',
      ].toSorted(),
    );
    expect(problems['cachefor']).toMatch(/did you mean cacheFor\?/);
  });

  it('knows the connections that it is told of', async () => {
    const named = RedisHealthModule.forRoot({ required: ['sessions'], connections: { cache: false } });
    expect(await problemsOf(start(named))).toEqual({
      required: "no Redis connection is called 'sessions'; there is 'default'",
      'connections.cache': "no Redis connection is called 'cache'; there is 'default'",
    });
    const contrary = RedisHealthModule.forRoot({ required: ['default'], connections: { default: false } });
    expect(await problemsOf(start(contrary))).toEqual({ required: expect.stringMatching(/left out/) });
  });

  it('needs a connection to look at', async () => {
    expect(await problemsOf(startApplication([RedisHealthModule.forRoot()]))).toEqual({
      connections: expect.stringMatching(/RedisModule\.forRoot/),
    });
  });

  it('knows its paths', async () => {
    for (const path of [5, [], '', ['health', '']]) {
      const wrong = RedisHealthModule.forRoot({ path: path as never });
      expect(await problemsOf(start(wrong))).toEqual({ path: expect.stringMatching(/is not a path/) });
    }
    // Given beside the options, not among those that a factory makes.
    const within = RedisHealthModule.forRootAsync({ useFactory: () => ({ path: 'probes' }) as never });
    expect(await problemsOf(start(within))).toHaveProperty(['path']);
  });

  it("finds the application's indicators at the start", async () => {
    class Disk {
      check = () => ({});
    }
    @Injectable()
    class Silent {}
    @Injectable({ scope: Scope.REQUEST })
    class OfRequests {
      check = () => ({});
    }
    @Module({ providers: [Silent, OfRequests] })
    class Feature {}
    const indicators = [() => ({}), Disk, Silent, OfRequests] as never;
    expect(await problemsOf(start(RedisHealthModule.forRoot({ indicators }), Feature))).toEqual({
      'indicators[1]': expect.stringMatching(/^Disk must be a provider/),
      'indicators[2]': 'Silent has no method check()',
      'indicators[3]': expect.stringMatching(/neither request-scoped/),
    });
  });

  it('is imported once', async () => {
    const twice = [RedisHealthModule.forRoot(), RedisHealthModule.forRoot({ path: 'other' })];
    expect(await problemsOf(start(...twice))).toHaveProperty(['RedisHealthModule.forRoot']);
  });
});

describe('a connection that nobody uses', () => {
  const startUnused = async (health: RedisHealthModuleOptions, server?: RedisServer) => {
    const application = await startHealth(opened, {
      redis: (server ?? (await opened.emptyServer())).options,
      health,
      override: (testing) => testing.overrideProvider(getRedisToken()).useValue({}),
    });
    return { ...application, connection: application.app.get<RedisConnection>(getRedisConnectionToken()) };
  };

  it('is left out, and not opened, until somebody checks it', async () => {
    const { app, connection, get } = await startUnused({});
    expect(await get('/health/ready')).toMatchObject({ status: 200, body: { status: 'ok', details: {} } });
    expect((await get('/health/startup')).status).toBe(200);
    expect(connection.state).toBe('idle');
    const indicator = app.get(RedisHealthIndicator);
    for (const { redis } of await Promise.all([indicator.check('redis'), indicator.check('redis')]))
      expect(redis).toMatchObject({ status: 'up', role: 'master' });
    expect((await get('/health/ready')).body.details).toMatchObject({ redis: { status: 'up' } });
  });

  it('is opened and asked within one timeout', async () => {
    const server = await opened.server({});
    const { app, connection } = await startUnused({}, server);
    server.pause();
    const checking = app.get(RedisHealthIndicator).check('redis', { timeout: '2s' });
    const client = connection.client as Redis;
    const isReady = once(client, 'ready');
    await sleep(1_000);
    client.once('ready', () => server.pause());
    server.resume();
    await isReady;
    // With two seconds more, it would have answered.
    const resuming = sleep(1_500).then(() => server.resume());
    expect((await checking).redis).toEqual({ status: 'down', code: 'REDIS_TIMEOUT' });
    await resuming;
  });

  it('is opened where it is required by name', async () => {
    const { get } = await startUnused({ required: ['default'] });
    expect((await get('/health/startup')).status).toBe(200);
    expect((await get('/health/ready')).body.details).toMatchObject({ redis: { status: 'up' } });
  });
});

describe('RedisHealthIndicator.check', () => {
  it('tells of wrong options, and of a connection that is not there', async () => {
    const indicator = (await start(RedisHealthModule.forRoot())).get(RedisHealthIndicator);
    const wrong = { timeout: 'soon', memory: true, connection: '' };
    expect(Object.keys(await problemsOf(indicator.check('redis', wrong as never))).toSorted()).toEqual([
      'connection',
      'memory',
      'timeout',
    ]);
    const unknown = indicator.check('redis', { connection: 'sessions' });
    expect(await problemsOf(unknown)).toEqual({
      connection: "no Redis connection is called 'sessions'; there is 'default'",
    });
  });

  it('says what is missing of what is expected', async () => {
    const indicator = (await start(RedisHealthModule.forRoot())).get(RedisHealthIndicator);
    const { redis } = await indicator.check('redis', { replication: { role: 'replica', minReplicas: 1 } });
    expect(redis).toMatchObject({ code: 'NOT_A_REPLICA', codes: ['NOT_A_REPLICA', 'REPLICAS_MISSING'] });
    expect((await indicator.check('redis', { replication: false })).redis).not.toHaveProperty('replication');
  });

  it('is down, and quiet, when the application has shut down', async () => {
    const app = await start(RedisHealthModule.forRoot());
    const indicator = app.get(RedisHealthIndicator);
    await app.close();
    expect((await indicator.check('redis')).redis).toEqual({ status: 'down', code: 'REDIS_CLOSED' });
  });
});
