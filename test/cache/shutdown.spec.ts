import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { RedisModuleOptions } from 'rednest';
import { startCluster, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { ProcessGroup } from './fixtures/process-group.js';
import type { CacheProcess } from './fixtures/process-handle.js';

const opened = new Opened();

const SHUTDOWN_TIMEOUT = 500;

/** What a busy machine may add, in milliseconds. */
const MARGIN = 1_000;

/** So long that nothing which waits for it could be over before the process has ended. */
const LONG = '5m';

const root = { namespace: 'app', ttl: '1m', stale: '1m', lease: LONG, refreshRetry: LONG } as const;

const group = new ProcessGroup(2);
afterEach(() => group.close());
afterAll(() => group[Symbol.asyncDispose]());

/** Factories that never end, callers that wait for them, here and in the other process, with and without time limits. */
async function keepBusy([maker, waiter]: readonly [CacheProcess, CacheProcess]): Promise<void> {
  await maker.call('set', 'stale', 'old', { tags: ['cities'] });
  await maker.call('expire', 'stale');
  const calls = [
    maker.call('getOrSet', 'made', { tags: ['cities'] }),
    maker.call('getOrSet', 'made', { hardTimeout: LONG }),
    maker.call('getOrSet', 'stale', { softTimeout: LONG }),
    maker.call('getOrSetMany', ['a', 'b', 'c']),
  ];
  // They are never answered: the process ends before.
  for (const call of calls) call.catch(() => undefined);
  const areRun = (...keys: string[]) => keys.every((key) => group.runs.some((run) => run.keys.includes(key)));
  await eventually(() => areRun('made', 'stale', 'a', 'b', 'c'));
  waiter.call('getOrSet', 'made').catch(() => undefined);
  waiter.call('getOrSetMany', ['a', 'b', 'd']).catch(() => undefined);
  await eventually(() => areRun('d'));
  await waiter.call('invalidateTags', 'cities');
}

/** Closes its application, and checks that the process ends by itself and in good order. */
async function expectToEnd(process: CacheProcess, clearing = 'REDIS_CLOSED'): Promise<void> {
  const { closedAfter, afterwards } = await process.leave();
  expect(closedAfter).toBeLessThan(SHUTDOWN_TIMEOUT + MARGIN);
  // What is called afterwards finds nothing, and makes what it needs.
  expect(afterwards).toEqual([
    null,
    'made',
    null,
    null,
    null,
    null,
    [undefined, undefined],
    ['made'],
    clearing,
  ]);
  const { code, signal, after } = await group.ended(process);
  expect({ code, signal, output: process.output }).toEqual({
    code: 0,
    signal: null,
    output: expect.not.stringMatching(/Unhandled|Error/),
  });
  // The driver's own timers may take two seconds where a server does not answer.
  expect(after).toBeLessThan(2_000 + MARGIN);
}

describe('an application that closes while values are being made and waited for', () => {
  const options = ({ options: connect }: { options: RedisModuleOptions }): RedisModuleOptions => ({
    ...connect,
    shutdownTimeout: SHUTDOWN_TIMEOUT,
  });

  it.each<[string, 'tracking' | 'pubsub' | 'none', (server: RedisServer) => unknown]>([
    ['all is well', 'tracking', () => undefined],
    ['all is well, with coherence pubsub', 'pubsub', () => undefined],
    ['all is well, without coherence', 'none', () => undefined],
    ['Redis does not answer', 'tracking', (server) => server.pause()],
    ['Redis is gone', 'tracking', (server) => server.kill()],
  ])('ends where %s', async (_, coherence, fault) => {
    const server = await opened.server({});
    const processes = (await group.open(options(server), { ...root, coherence })) as [
      CacheProcess,
      CacheProcess,
    ];
    await keepBusy(processes);
    await fault(server);
    await Promise.all(processes.map((each) => expectToEnd(each)));
  });

  it('ends where Redis has been away for a while', async () => {
    const server = await opened.server({});
    const processes = (await group.open(options(server), root)) as [CacheProcess, CacheProcess];
    await keepBusy(processes);
    await server.kill();
    const [first] = processes;
    await eventually(async () => {
      await first.call('delete', 'other');
      return !(await first.call<{ available: boolean }>('stats')).available;
    });
    await Promise.all(processes.map((each) => expectToEnd(each)));
  });

  it('ends where Redis was never there', async () => {
    const server = await opened.server({});
    await server.kill();
    const processes = await group.open({ ...options(server), startup: 'optional' }, root);
    for (const each of processes) each.call('getOrSet', 'made').catch(() => undefined);
    await eventually(() => group.runs.length === 2);
    await Promise.all(processes.map((each) => expectToEnd(each)));
  });

  it('ends where it is on a Cluster', async () => {
    const cluster = opened.add(await startCluster({ masters: 3, replicas: 0 }));
    const processes = (await group.open(options(cluster), root)) as [CacheProcess, CacheProcess];
    await keepBusy(processes);
    await Promise.all(processes.map((each) => expectToEnd(each, 'REDIS_UNAVAILABLE')));
  });

  it('ends without a Redis connection', async () => {
    const processes = await group.open(undefined, root);
    for (const each of processes) each.call('getOrSet', 'made', { hardTimeout: LONG }).catch(() => undefined);
    await eventually(() => group.runs.length === 2);
    await Promise.all(processes.map((each) => group.ended(each, each.leave())));
    for (const { output } of processes) expect(output).toBe('');
  });
});
