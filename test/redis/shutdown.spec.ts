import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import {
  getRedisConnectionToken,
  RedisClosedError,
  type RedisConnection,
  RedisModule,
  type RedisModuleOptions,
} from 'rednest';
import { FaultProxy, startSentinel, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import {
  type Activity,
  ApplicationProcess,
  type Outcomes,
  type Scenario,
} from './fixtures/application-process.js';
import { rejection } from './fixtures/rejection.js';
import { startLoadable, startLoading } from './fixtures/slow-loading.js';

const opened = new Opened();

const SHUTDOWN_TIMEOUT = 600;

/** The next one loads while a test runs. */
let next: ApplicationProcess;
beforeAll(() => {
  next = new ApplicationProcess();
});
afterAll(() => next[Symbol.asyncDispose]());

function launch(scenario: Scenario): ApplicationProcess {
  const application = opened.add(next);
  next = new ApplicationProcess();
  application.run(scenario);
  return application;
}

async function start(connect: RedisModuleOptions, activities: Activity[]): Promise<ApplicationProcess> {
  const options = { ...connect, shutdownTimeout: SHUTDOWN_TIMEOUT, pool: { size: 1 } };
  const application = launch({ options, activities });
  await application.until('started');
  await sleep(100);
  return application;
}

/** Has it close, and checks what holds whatever Redis does: it ends by itself, in time, and every promise is settled. */
async function close(application: ApplicationProcess, signal: 'SIGUSR2' | 'SIGTERM' = 'SIGUSR2') {
  application.signal(signal);
  const { code, after, outcomes } = await application.end();
  expect(code).toBe(0);
  expect(after).toBeLessThan(SHUTDOWN_TIMEOUT + 1_000);
  expect(outcomes).toBeDefined();
  return { after, outcomes: outcomes! };
}

const settled = ({ resolved, rejected }: Outcomes) =>
  Object.values(rejected).reduce((sum, count) => sum + count, resolved);

/** Checks that a command that was resolved took effect once, and one that was rejected not at all or, if it was lost, perhaps. */
async function expectCounted(server: RedisServer, { resolved, rejected }: Outcomes): Promise<void> {
  const counter = Number(await (await server.admin()).get('app:counter'));
  expect(counter).toBeGreaterThanOrEqual(resolved);
  expect(counter).toBeLessThanOrEqual(resolved + (rejected['REDIS_CONNECTION_LOST'] ?? 0));
}

describe('an application that closes', () => {
  it('in the middle of traffic loses nothing, refuses what comes later, and does not wait for its deadline', async () => {
    const server = await opened.guarded();
    const application = await start(server.options, ['traffic', 'subscriber']);
    const { after, outcomes } = await close(application);
    expect(after).toBeLessThan(SHUTDOWN_TIMEOUT);
    expect(settled(outcomes)).toBe(outcomes.issued);
    expect(Object.keys(outcomes.rejected)).toEqual(['REDIS_CLOSED']);
    expect(outcomes.resolved).toBeGreaterThan(0);
    await expectCounted(server, outcomes);
    const { command, taker } = await application.until('closed');
    expect([command.error, taker.error]).toEqual(['REDIS_CLOSED', 'REDIS_CLOSED']);
    expect(Math.max(command.after, taker.after)).toBeLessThan(200);
    expect(application.output).not.toContain('WARN');
  });

  it('on SIGTERM does the same, by its shutdown hooks', async () => {
    const server = await opened.guarded();
    const { outcomes } = await close(await start(server.options, ['traffic']), 'SIGTERM');
    expect(settled(outcomes)).toBe(outcomes.issued);
    expect(Object.keys(outcomes.rejected)).toEqual(['REDIS_CLOSED']);
    await expectCounted(server, outcomes);
  });

  it('while Redis does not answer cuts off at its deadline, and rejects what is pending', async () => {
    const server = await opened.guarded();
    const application = await start(server.options, [
      'traffic',
      'subscriber',
      'blocking taker',
      'waiting taker',
    ]);
    server.pause();
    await sleep(100);
    const { after, outcomes } = await close(application);
    expect(after).toBeGreaterThan(SHUTDOWN_TIMEOUT * 0.9);
    expect(settled(outcomes)).toBe(outcomes.issued);
    expect(Object.keys(outcomes.rejected).toSorted()).toEqual(['REDIS_CLOSED', 'REDIS_CONNECTION_LOST']);
    expect(application.output).toMatch(/WARN .*did not close within 600 ms and was cut off/);
    server.resume();
    await expectCounted(server, outcomes);
  });

  it('while it tries to reach Redis again does not wait for it', async () => {
    const server = await opened.guarded();
    const application = await start(server.options, ['traffic', 'subscriber']);
    await server.kill();
    await sleep(300);
    const { after, outcomes } = await close(application);
    expect(after).toBeLessThan(SHUTDOWN_TIMEOUT);
    expect(settled(outcomes)).toBe(outcomes.issued);
  });

  it('although Redis was never there does not wait for it', async () => {
    const server = await opened.guarded();
    await server.kill();
    const options = { ...server.options, startup: 'optional' as const, shutdownTimeout: SHUTDOWN_TIMEOUT };
    const application = launch({ options, activities: ['traffic', 'waiting taker'] });
    await application.until('started');
    const { after, outcomes } = await close(application);
    expect(after).toBeLessThan(SHUTDOWN_TIMEOUT);
    expect(settled(outcomes)).toBe(outcomes.issued);
    expect(outcomes.resolved).toBe(0);
    expect(Object.keys(outcomes.rejected).toSorted()).toEqual(['REDIS_CLOSED', 'REDIS_UNAVAILABLE']);
  });

  it('does not wait for Sentinels that are dead', async () => {
    const group = opened.add(await startSentinel({ replicas: 0 }));
    const application = await start(group.options, []);
    const [, ...others] = group.sentinels;
    await Promise.all(others.map((sentinel) => sentinel.kill()));
    await sleep(300);
    const { after } = await close(application);
    expect(after).toBeLessThan(SHUTDOWN_TIMEOUT);
  });

  it('while Redis loads its data set does not wait for it', async () => {
    const server = await startLoadable(opened);
    const proxy = opened.add(await FaultProxy.start(server));
    const application = await start(proxy.optionsFor(server.options), []);
    await startLoading(server, 6);
    proxy.cut();
    await eventually(() => proxy.accepted === 2);
    await sleep(200);
    await close(application);
  });

  it('ends a blocking command at its deadline, and refuses a taker that waits', async () => {
    const server = await opened.guarded();
    const { outcomes } = await close(await start(server.options, ['blocking taker', 'waiting taker']));
    expect(outcomes.rejected).toEqual({ REDIS_CONNECTION_LOST: 1, REDIS_CLOSED: 1 });
  });

  it('is not held up by a taker that never lets go', async () => {
    const server = await opened.guarded();
    const { outcomes } = await close(await start(server.options, ['stuck taker', 'waiting taker']));
    expect(outcomes).toEqual({ issued: 2, resolved: 0, rejected: { REDIS_CLOSED: 1 } });
  });

  it('before it was initialised has opened nothing', async () => {
    const server = await opened.guarded();
    const proxy = opened.add(await FaultProxy.start(server));
    const imports = [RedisModule.forRoot(proxy.optionsFor(server.options))];
    const testing = await Test.createTestingModule({ imports }).compile();
    const connection = testing.get<RedisConnection>(getRedisConnectionToken());
    await testing.close();
    await testing.close();
    expect(connection.state).toBe('closed');
    expect((await rejection(connection.client.get('app:a'))).error).toBeInstanceOf(RedisClosedError);
    expect(proxy.accepted).toBe(0);
  });
});

describe('an application that does not start', () => {
  it('because it is closed meanwhile says so, and ends at once', async () => {
    const server = await opened.guarded();
    const proxy = opened.add(await FaultProxy.start(server));
    server.pause();
    const imports = [RedisModule.forRoot(proxy.optionsFor(server.options))];
    const testing = await Test.createTestingModule({ imports }).compile();
    const starting = rejection(testing.init());
    await eventually(() => proxy.connections === 1);
    const connection = testing.get<RedisConnection>(getRedisConnectionToken());
    await connection.close();
    const { error, after } = await starting;
    expect(error).toBeInstanceOf(RedisClosedError);
    expect(after).toBeLessThan(2_000);
    server.resume();
    await eventually(() => proxy.connections === 0);
    expect(proxy.accepted).toBe(1);
  });

  it.each<[string, (server: RedisServer) => unknown]>([
    ['does not answer', (server) => server.pause()],
    ['is not there', (server) => server.kill()],
  ])('because Redis %s ends by itself', async (_, fault) => {
    const server = await opened.guarded();
    await fault(server);
    const options = { ...server.options, startupTimeout: 300, shutdownTimeout: SHUTDOWN_TIMEOUT };
    const application = launch({ options, activities: ['traffic'] });
    const { message } = await application.until('failed');
    expect(message).toMatch(/^RedisUnavailableError: Redis connection 'default' is not ready: /);
    const { after } = await application.end();
    expect(after).toBeLessThan(SHUTDOWN_TIMEOUT + 1_000);
  });
});
