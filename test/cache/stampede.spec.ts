import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RedisModuleOptions } from 'rednest';
import { startCluster, startRedis, startSentinel, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { ProcessGroup } from './fixtures/process-group.js';
import type { CacheProcess } from './fixtures/process-handle.js';
import type { Storm } from './fixtures/process-messages.js';

const CALLERS = 1_000;

/** What a busy machine may add to a wait, in milliseconds. */
const MARGIN = 1_000;

const MODES = ['tracking', 'pubsub', 'none'] as const;

// The budget is generous here: what is at stake is who runs the factory, and not how long Redis may take on a busy machine.
const root = { namespace: 'app', ttl: '1m', budget: '5s' } as const;

let group: ProcessGroup;
beforeAll(() => {
  group = new ProcessGroup(4);
});
afterEach(() => group.close());
afterAll(() => group[Symbol.asyncDispose]());

/** All processes, `CALLERS` at once in each. */
function storms(processes: readonly CacheProcess[], key: string): Promise<Storm[]> {
  return Promise.all(processes.map((each) => each.storm(key, CALLERS)));
}

const topologies: [string, () => Promise<AsyncDisposable & { options: RedisModuleOptions }>][] = [
  ['standalone', () => startRedis()],
  ['Sentinel', () => startSentinel({ replicas: 1 })],
  ['Cluster', () => startCluster({ masters: 3, replicas: 0 })],
];

describe.each(topologies)('%s: four processes with 1,000 callers each, one cold key', (_, start) => {
  let servers: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    servers = await start();
  }, 30_000);
  afterAll(async () => servers[Symbol.asyncDispose]());

  it.each(MODES)('run the factory once, with coherence %s', async (coherence) => {
    const cache = { ...root, namespace: coherence, coherence };
    const processes = await group.open(servers.options, cache);
    group.giveAfter(200, { city: 'Berlin' });
    const outcomes = await storms(processes, 'city');
    for (const { values, errors } of outcomes) {
      // One object for all callers of a process.
      expect(values).toEqual([{ city: 'Berlin' }]);
      expect(errors).toEqual([]);
    }
    expect(group.runs).toHaveLength(1);
  });
});

describe('a process that makes a value', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  afterEach(async () => (await server.admin()).flushall());

  it.each(MODES)(
    'and is killed holds the others up for no longer than its lease, and one takes over: %s',
    async (coherence) => {
      const lease = 1_000;
      const processes = await group.open(server.options, { ...root, lease, coherence });
      const [maker, ...others] = processes as [CacheProcess, ...CacheProcess[]];
      const lost = maker.call('getOrSet', 'city').catch(() => 'killed');
      await group.run(0);
      const waiting = storms(others, 'city');
      // Longer than its lease: it is renewed until the process is killed.
      await sleep(lease * 1.5);
      expect(group.runs).toHaveLength(1);
      group.giveAfter(0, 'made by another');
      const from = performance.now();
      await group.kill(maker);
      const outcomes = await waiting;
      expect(performance.now() - from).toBeLessThan(lease + MARGIN);
      expect(outcomes.flatMap(({ values }) => values)).toEqual(Array(3).fill('made by another'));
      expect(group.runs).toHaveLength(2);
      expect(await lost).toBe('killed');
    },
  );

  it.each(MODES)(
    'and is paused for longer than its lease stores nothing when it goes on: %s',
    async (coherence) => {
      const lease = 600;
      const processes = await group.open(server.options, { ...root, lease, coherence });
      const [maker, ...others] = processes as [CacheProcess, ...CacheProcess[]];
      const late = maker.call('getOrSet', 'city');
      const first = await group.run(0);
      maker.signal('SIGSTOP');
      const waiting = storms(others, 'city');
      const second = await group.run(1);
      expect(others).toContain(second.process);
      second.give('of the second');
      expect((await waiting).flatMap(({ values }) => values)).toEqual(Array(3).fill('of the second'));
      first.give('of the first');
      maker.signal('SIGCONT');
      // Whoever asked it gets what it made; nobody else does.
      expect(await late).toBe('of the first');
      for (const each of processes) expect(await each.call('get', 'city')).toBe('of the second');
      expect(group.runs).toHaveLength(2);
    },
  );

  it.each(MODES)('for longer than its lease goes on holding it: %s', async (coherence) => {
    const processes = await group.open(server.options, { ...root, lease: 300, coherence });
    group.giveAfter(1_200, 'slow');
    const outcomes = await storms(processes, 'city');
    expect(outcomes.flatMap(({ values }) => values)).toEqual(Array(4).fill('slow'));
    expect(group.runs).toHaveLength(1);
  });

  it.each(MODES)('and fails gives all who wait in it the very same error: %s', async (coherence) => {
    const processes = await group.open(server.options, { ...root, coherence });
    let failures = 0;
    group.answer = async (run) => {
      await sleep(100);
      run.fail(`failure ${++failures}`);
    };
    const outcomes = await storms(processes, 'city');
    for (const { values, errors } of outcomes) {
      expect(values).toEqual([]);
      expect(errors).toHaveLength(1);
    }
    expect(group.runs.length).toBeLessThanOrEqual(processes.length);
    const makers = new Set(group.runs.map(({ process }) => process));
    expect(makers.size).toBe(group.runs.length);
  });

  it.each(MODES)(
    'and fails does not have those that waited wait for each other, too: %s',
    async (coherence) => {
      const processes = await group.open(server.options, { ...root, lease: '1m', coherence });
      const [maker, ...others] = processes as [CacheProcess, ...CacheProcess[]];
      await maker.call('set', 'invalid', 'old', { tags: ['cities'] });
      await maker.call('invalidateTags', 'cities');
      for (const key of ['cold', 'invalid']) {
        group.runs.length = 0;
        const outcomes = [maker.storm(key, CALLERS)];
        const first = await group.run(0);
        outcomes.push(...others.map((each) => each.storm(key, CALLERS)));
        // By the second answer each has asked for the lease: that was sent before the question.
        for (const each of [...others, ...others]) await each.call('inspect', key);
        first.fail('failure');
        await group.run(3);
        for (const run of group.runs) if (run !== first) run.give('made');
        const [failed, ...made] = await Promise.all(outcomes);
        expect(failed!.errors).toHaveLength(1);
        expect(made.flatMap(({ values }) => values)).toEqual(['made', 'made', 'made']);
        expect(group.runs).toHaveLength(4);
        // One of them had the lease.
        expect(await maker.call('get', key)).toBe('made');
      }
    },
  );

  it.each(MODES)('and fails has those that come later wait for one: %s', async (coherence) => {
    const processes = await group.open(server.options, { ...root, lease: '1m', coherence });
    const [maker] = processes as [CacheProcess];
    const failing = maker.storm('city', 1);
    (await group.run(0)).fail('failure');
    expect((await failing).errors).toHaveLength(1);
    const later = storms(processes, 'city');
    const run = await group.run(1);
    for (const each of [...processes, ...processes]) await each.call('inspect', 'city');
    run.give('made by one');
    expect((await later).flatMap(({ values }) => values)).toEqual(Array(4).fill('made by one'));
    expect(group.runs).toHaveLength(2);
  });

  it.each(MODES)(
    'that is stale is the only one to, and everybody is served meanwhile: %s',
    async (coherence) => {
      const processes = await group.open(server.options, { ...root, ttl: 50, stale: '1m', coherence });
      await processes[0]!.call('set', 'city', 'old');
      await sleep(100);
      // Nothing is given until all are served.
      const outcomes = await storms(processes, 'city');
      expect(outcomes.flatMap(({ values }) => values)).toEqual(Array(4).fill('old'));
      const run = await group.run(0);
      await storms(processes, 'city');
      expect(group.runs).toHaveLength(1);
      group.giveAfter(0, 'new');
      run.give('new');
      for (const each of processes)
        await eventually(async () => (await each.call('getOrSet', 'city')) === 'new');
    },
  );
});
