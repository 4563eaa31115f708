import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { RedisModuleOptions } from 'rednest';
import type { RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { makeUnableToSave, SAVING_CONFIG } from '../support/unable-to-save.js';
import { startLoadable, startLoading } from '../redis/fixtures/slow-loading.js';
import { startHealth, stateOf, type Answer } from './fixtures/health-application.js';

const opened = new Opened();

type Application = Awaited<ReturnType<typeof startHealth>>;

const FAST = { cacheFor: 50, timeout: 500 } as const;

async function start(server: RedisServer, options: Partial<RedisModuleOptions> = {}): Promise<Application> {
  const redis = { ...server.options, ...options } as RedisModuleOptions;
  const application = await startHealth(opened, { redis, health: FAST });
  expect(await application.ready()).toMatchObject({ status: 200, body: { status: 'ok' } });
  return application;
}

/** What readiness comes to, with liveness good all the time. */
async function becomes({ ready, live }: Application, status: number, code?: string): Promise<Answer> {
  return eventually(async () => {
    const since = performance.now();
    const answer = await ready();
    expect(performance.now() - since).toBeLessThan(5_000);
    expect((await live()).status).toBe(200);
    expect(answer).toMatchObject({
      status,
      body: { details: { redis: code === undefined ? {} : { code } } },
    });
    if (code === undefined) expect(stateOf(answer.body.details['redis'])).toBe('up');
    return answer;
  }, 15_000);
}

const told = ({ log }: Application) => log.texts('RedisHealthModule');

/** Neither where a server is, nor what it says, is for who asks. */
function tellsNothing({ text }: Answer, server: RedisServer): void {
  expect(text).not.toMatch(/127\.0\.0\.1|ECONN|ERR|LOADING|READONLY|version/);
  expect(text).not.toContain(String(server.port));
}

describe('a server', () => {
  it('that is killed is down until it is back', async () => {
    const server = await opened.server({});
    const application = await start(server);
    await server.kill();
    tellsNothing(await becomes(application, 503, 'REDIS_UNAVAILABLE'), server);
    await becomes(application, 503, 'REDIS_UNAVAILABLE');
    await server.restart();
    // What the server before has counted is not what this one compares with.
    const { body } = await becomes(application, 200);
    expect(body.details['redis']).not.toHaveProperty('evicted');
    expect(told(application)).toEqual([expect.stringMatching(/^Not ready: redis REDIS_/), 'Ready again']);
  });

  it('that is paused is asked once, however often probes come', async () => {
    const server = await opened.server({});
    const application = await start(server);
    const admin = await server.admin();
    await admin.config('RESETSTAT');
    server.pause();
    tellsNothing(await becomes(application, 503, 'REDIS_TIMEOUT'), server);
    const since = performance.now();
    for (let probe = 0; probe < 50; probe++) expect((await application.ready()).status).toBe(503);
    // Who comes later does not wait for the same silence again.
    expect(performance.now() - since).toBeLessThan(50 * FAST.timeout);
    server.resume();
    await becomes(application, 200);
    const pings = /cmdstat_ping:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1];
    expect(Number(pings)).toBeLessThan(10);
    expect(told(application)).toEqual(['Not ready: redis REDIS_TIMEOUT', 'Ready again']);
  });

  it('that is paused is asked once, also where commands time out before the probe does', async () => {
    const server = await opened.server({});
    const application = await start(server, { commandTimeout: 50 });
    const admin = await server.admin();
    await admin.config('RESETSTAT');
    server.pause();
    await becomes(application, 503, 'REDIS_TIMEOUT');
    for (let probe = 0; probe < 20; probe++) {
      expect((await application.ready()).status).toBe(503);
      await sleep(30);
    }
    server.resume();
    await becomes(application, 200);
    const pings = /cmdstat_ping:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1];
    expect(Number(pings)).toBeLessThan(7);
  });

  it('that loads its data set is down until it has', async () => {
    const server = await startLoadable(opened);
    const application = await start(server);
    const { loaded } = await startLoading(server, 1);
    const answer = await becomes(application, 503, 'REDIS_UNAVAILABLE');
    tellsNothing(answer, server);
    await loaded;
    await becomes(application, 200);
  });

  it('that takes another password is down for as long as it does', async () => {
    const server = await opened.server({ password: 'first' });
    const application = await start(server);
    const admin = await server.admin();
    await admin.config('SET', 'requirepass', 'second');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
    tellsNothing(await becomes(application, 503, 'REDIS_AUTH'), server);
    await admin.config('SET', 'requirepass', 'first');
    await becomes(application, 200);
  });

  it('that has become a replica is down where a master is wanted', async () => {
    const [server, master] = [
      await opened.server({}),
      await opened.server({ config: { 'repl-diskless-sync': 'no', hz: '100' } }),
    ];
    const application = await start(server);
    const admin = await server.admin();
    await admin.config('SET', 'masteruser', '', 'masterauth', '');
    await admin.call('REPLICAOF', '127.0.0.1', String(master.port));
    const answer = await becomes(application, 503, 'REDIS_READ_ONLY');
    tellsNothing(answer, server);
    await eventually(async () => {
      expect((await application.ready()).body.details['redis']).toMatchObject({
        role: 'replica',
        replication: { link: 'up' },
      });
    });
    await master.kill();
    await eventually(async () => {
      const { codes } = (await application.ready()).body.details['redis']!;
      expect(codes).toEqual(['REDIS_READ_ONLY', 'REPLICATION_LINK_DOWN']);
    });
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await becomes(application, 200);
  });
});

describe('a server that serves', () => {
  const MEGABYTE = 1_048_576;

  it('is degraded when its memory is full, or nearly, and nothing can be evicted', async () => {
    const server = await opened.server({});
    const application = await start(server);
    const admin = await server.admin();
    await admin.config('SET', 'maxmemory', '1');
    const full = await becomes(application, 200, 'REDIS_OUT_OF_MEMORY');
    expect(stateOf(full.body.details['redis'])).toBe('degraded');
    expect(full.body.details['redis']).toMatchObject({ memory: { policy: 'noeviction' } });
    const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
    await admin.config('SET', 'maxmemory', String(used + Math.floor(used / 20)));
    await becomes(application, 200, 'MEMORY_HIGH');
    await admin.config('SET', 'maxmemory', String(100 * MEGABYTE));
    await becomes(application, 200);
    const [first, ...others] = told(application);
    expect(first).toBe('Degraded, but ready: redis REDIS_OUT_OF_MEMORY');
    expect(others).toEqual(['Ready again']);
    await admin.config('SET', 'maxmemory', '1', 'maxmemory-policy', 'allkeys-lru');
    const cache = await eventually(async () => {
      const answer = await application.ready();
      expect(answer.body.details['redis']).toMatchObject({ memory: { policy: 'allkeys-lru' } });
      return answer;
    });
    expect(stateOf(cache.body.details['redis'])).toBe('up');
  });

  it('is degraded when it cannot save, and tells what it has evicted', async () => {
    const server = await opened.server({ config: SAVING_CONFIG });
    const application = await start(server);
    await makeUnableToSave(server);
    const admin = await server.admin();
    const { body } = await becomes(application, 200, 'PERSISTENCE_FAILED');
    expect(body.details['redis']).toMatchObject({
      role: 'master',
      latency: expect.any(Number),
      clients: { connected: expect.any(Number), limit: expect.any(Number), blocked: 0 },
      persistence: { rdb: 'failed', aof: 'off' },
      evicted: 0,
      rejected: 0,
    });
    await admin.config('SET', 'stop-writes-on-bgsave-error', 'no');
    await admin.set('a', 'x'.repeat(10_000));
    await admin.config('SET', 'maxmemory', '1', 'maxmemory-policy', 'allkeys-lru');
    await eventually(async () => {
      const detail = (await application.ready()).body.details['redis'];
      expect(detail?.['evicted']).toBeGreaterThan(0);
    });
  });

  it('is up without what the user may not have', async () => {
    const entryFor = async (rules: string, options: Partial<RedisModuleOptions> = {}) => {
      const server = await opened.server({ acl: [`app on >secret ~* +@all ${rules}`] });
      return (await (await start(server, options)).ready()).body.details['redis'];
    };
    expect(await entryFor('-info', { driver: { enableReadyCheck: false } })).toEqual({
      status: 'up',
      latency: expect.any(Number),
      omitted: ['info'],
    });
    // A refusal is an answer.
    expect(await entryFor('-ping')).toMatchObject({
      status: 'up',
      latency: expect.any(Number),
      role: 'master',
      omitted: ['ping'],
    });
  });
});
