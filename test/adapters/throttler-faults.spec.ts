import { ServiceUnavailableException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { FaultProxy, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { makeUnableToSave, SAVING_CONFIG } from '../support/unable-to-save.js';
import { callsOf, MINUTE, startStorage, told, type Answer } from './fixtures/throttler.js';

const opened = new Opened();

/** Milliseconds. Longer than by default, since a machine that runs tests is busy. */
const BUDGET = 250;

type Started = Awaited<ReturnType<typeof startStorage>>;

const start = (redis: Parameters<typeof startStorage>[1], whenUnavailable: 'allow' | 'refuse' = 'allow') =>
  startStorage(opened, redis, { budget: BUDGET, whenUnavailable });

const hit = ({ storage }: Started, client = 'client', limit = 1): Promise<Answer> =>
  storage.increment(client, MINUTE, limit, 0, 'default');

/** A second hit passes only where the first was not counted. */
async function isCounted(started: Started): Promise<boolean> {
  await hit(started, 'counted');
  return (await hit(started, 'counted')).isBlocked;
}

const untilCounted = (started: Started) => eventually(() => isCounted(started), 10_000);

const WITHOUT = /^Requests pass uncounted, without Redis connection 'default': /;
const AGAIN = 'Requests are counted again, after # ms';

describe('a server that is paused', () => {
  it.each(['allow', 'refuse'] as const)('is sent next to nothing; %s', async (whenUnavailable) => {
    const server = await opened.server({});
    const started = await start(server.options, whenUnavailable);
    await hit(started);
    await (await server.admin()).config('RESETSTAT');
    server.pause();
    const uncounted = async (): Promise<void> => {
      if (whenUnavailable === 'allow')
        expect(await hit(started)).toEqual({
          totalHits: 1,
          timeToExpire: 60,
          isBlocked: false,
          timeToBlockExpire: 0,
        });
      else await expect(hit(started)).rejects.toThrow(ServiceUnavailableException);
    };
    // Three find out, and one tries again.
    for (let call = 0; call < 4; call++) await uncounted();
    for (let call = 0; call < 1_000; call++) await uncounted();
    await Promise.all(Array.from({ length: 1_000 }, uncounted));
    server.resume();
    expect(await callsOf(server, 'evalsha', 'eval')).toBe(4);
    await eventually(async () => (await hit(started)).isBlocked, 10_000);
    const what = whenUnavailable === 'allow' ? 'pass uncounted' : 'are refused';
    expect(told(started)).toEqual([
      `Requests ${what}, without Redis connection 'default': No answer within # ms`,
      AGAIN,
    ]);
  });

  it('keeps those who come at once from waiting after each other', async () => {
    const server = await opened.server({});
    const started = await start(server.options);
    server.pause();
    const waits = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const since = performance.now();
        await hit(started);
        return performance.now() - since;
      }),
    );
    server.resume();
    expect(Math.max(...waits)).toBeLessThan(10 * BUDGET);
    await untilCounted(started);
  });
});

it('a server that is slow is tried now and then, until it is fast', async () => {
  const server = await opened.server({});
  const proxy = opened.add(await FaultProxy.start(server));
  const started = await start(proxy.optionsFor(server.options));
  await hit(started);
  proxy.delay(2 * BUDGET);
  for (let late = 0; late < 3; late++) await hit(started);
  const admin = await server.admin();
  await admin.config('RESETSTAT');
  const until = performance.now() + 5 * BUDGET;
  let hits = 0;
  for (; performance.now() < until; hits++) await hit(started);
  expect(await callsOf(server, 'evalsha')).toBeLessThan(6);
  expect(hits).toBeGreaterThan(100);
  await proxy.restore();
  await untilCounted(started);
  expect(told(started)).toEqual([expect.stringMatching(WITHOUT), AGAIN]);
});

it('a late reply among others is the loss of that hit alone', async () => {
  const server = await opened.server({});
  const proxy = opened.add(await FaultProxy.start(server));
  const started = await start(proxy.optionsFor(server.options));
  await hit(started, 'before');
  for (let round = 0; round < 4; round++) {
    proxy.delay(1.5 * BUDGET);
    expect(await hit(started, 'before')).toMatchObject({ isBlocked: false });
    await proxy.restore();
    expect(await hit(started, 'before')).toMatchObject({ isBlocked: true });
  }
  expect(told(started)).toEqual([]);
});

it('a server that is killed is done without until it is back', async () => {
  const server = await opened.server({});
  const [allowing, refusing] = [await start(server.options), await start(server.options, 'refuse')];
  await untilCounted(allowing);
  await server.kill();
  await eventually(
    () => allowing.connection.state === 'reconnecting' && refusing.connection.state === 'reconnecting',
  );
  for (let call = 0; call < 100; call++) expect(await hit(allowing)).toMatchObject({ isBlocked: false });
  await expect(hit(refusing)).rejects.toThrow(ServiceUnavailableException);
  await server.restart();
  await untilCounted(allowing);
  await eventually(async () => (await hit(refusing)).isBlocked, 10_000);
  // Applications share the log.
  expect(told(refusing).toSorted()).toEqual(
    [
      "Requests are refused, without Redis connection 'default': not connected",
      ...[AGAIN, AGAIN].toSorted(),
      "Requests pass uncounted, without Redis connection 'default': not connected",
    ].toSorted(),
  );
});

describe('a server that refuses writes', () => {
  type Fault = readonly [
    name: string,
    cause: (server: RedisServer) => Promise<unknown>,
    cure: (server: RedisServer) => Promise<unknown>,
  ];

  const set = (directive: string, value: string) => async (server: RedisServer) =>
    (await server.admin()).config('SET', directive, value);

  const faults: readonly Fault[] = [
    ['has no memory left', set('maxmemory', '1'), set('maxmemory', '0')],
    ['has too few replicas', set('min-replicas-to-write', '1'), set('min-replicas-to-write', '0')],
    ['cannot save', makeUnableToSave, set('stop-writes-on-bgsave-error', 'no')],
    [
      'has become a replica',
      async (server) => (await server.admin()).replicaof('127.0.0.1', server.port + 1),
      async (server) => (await server.admin()).replicaof('NO', 'ONE'),
    ],
  ];

  it.each(faults)('since it %s', async (_, cause, cure) => {
    const server = await opened.server({ config: SAVING_CONFIG });
    const started = await start(server.options);
    await untilCounted(started);
    await cause(server);
    // Whoever is refused stays so: that is not written.
    expect(await hit(started, 'counted')).toMatchObject({ isBlocked: true });
    for (let call = 0; call < 20; call++)
      expect(await hit(started, `client-${call}`)).toMatchObject({ isBlocked: false });
    await cure(server);
    await eventually(async () => (await hit(started, 'another')).isBlocked, 10_000);
    expect(told(started)).toEqual([expect.stringMatching(WITHOUT), AGAIN]);
  });
});

it('where there is no Redis at the start, requests pass until there is', async () => {
  const server = await opened.server({});
  await server.kill();
  const started = await start({ ...server.options, startup: 'optional' });
  expect(await hit(started)).toMatchObject({ isBlocked: false });
  await server.restart();
  await untilCounted(started);
  expect(told(started)).toEqual([expect.stringMatching(WITHOUT), AGAIN]);
});

it('a connection that is closed is no outage', async () => {
  const server = await opened.server({});
  const started = await start(server.options);
  await started.connection.close();
  expect(await hit(started)).toMatchObject({ isBlocked: false });
  expect(told(started)).toEqual([]);
});
