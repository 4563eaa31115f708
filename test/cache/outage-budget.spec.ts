import { describe, expect, it } from '@jest/globals';
import type { CacheService } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startReplica, type Replica } from './fixtures/replica.js';

const opened = new Opened();

/** So long that what a busy machine adds is less than another budget, in milliseconds. */
const BUDGET = 1_000;

/** The breaker stays closed: each call would wait for each of its commands. */
const OPTIONS = { budget: BUDGET, breakerFailures: 10_000, lease: '1m', maxValueSize: '1kb' } as const;

type Call = (cache: CacheService, key: string) => Promise<unknown>;

const CALLS: Record<string, Call> = {
  get: (cache, key) => cache.get(key),
  has: (cache, key) => cache.has(key),
  getMany: (cache, key) => cache.getMany([key, `${key}:2`]),
  inspect: (cache, key) => cache.inspect(key),
  getOrSet: (cache, key) => cache.getOrSet(key, () => 1),
  wrap: (cache, key) => cache.wrap(key, () => 1),
  getOrSetEntry: (cache, key) => cache.getOrSetEntry(key, () => 1),
  'getOrSet, stale': (cache) => cache.getOrSet('stale', () => 1),
  'getOrSet, known tags': (cache, key) => cache.getOrSet(key, () => 1, { tags: ['known'] }),
  'getOrSet, other tags': (cache, key) => cache.getOrSet(key, () => 1, { tags: ['a', 'b'] }),
  'getOrSet, late tags': (cache, key) => cache.getOrSet(key, (context) => context.tag('c')),
  'getOrSet, longer life': (cache, key) => cache.getOrSet(key, (context) => context.ttl('1d')),
  'getOrSet, forceRefresh': (cache, key) => cache.getOrSet(key, () => 1, { tags: ['d'], forceRefresh: true }),
  getOrSetMany: (cache, key) => cache.getOrSetMany([key], async () => new Map([[key, 1]]), { tags: ['e'] }),
  warm: (cache, key) => cache.warm([key], async () => new Map([[key, 1]]), { tags: ['f'] }),
  set: (cache, key) => cache.set(key, 1),
  'set, other tags': (cache, key) => cache.set(key, 1, { tags: ['g'] }),
  'set, too large': (cache, key) => cache.set(key, 'x'.repeat(2_000), { tags: ['h'] }),
  setMany: (cache, key) => cache.setMany([[key, 1]], { tags: ['i'] }),
  delete: (cache, key) => cache.delete(key),
  expire: (cache, key) => cache.expire([key, 'stale']),
  invalidateTags: (cache) => cache.invalidateTags(['known', 'unknown']),
  invalidateAll: (cache) => cache.invalidateAll(),
};

/** What each factory does when it goes on. */
const RUNS: Record<string, (cache: CacheService, key: string, goOn: Promise<void>) => Promise<unknown>> = {
  getOrSet: (cache, key, goOn) => cache.getOrSet(key, () => goOn),
  'late tags': (cache, key, goOn) => cache.getOrSet(key, (context) => goOn.then(() => context.tag('late'))),
  'longer life': (cache, key, goOn) =>
    cache.getOrSet(key, (context) => goOn.then(() => context.ttl('1d')), { tags: ['known'] }),
  failing: (cache, key, goOn) =>
    cache.getOrSet(key, () => goOn.then(() => Promise.reject(new Error('fails')))).catch(() => undefined),
  getOrSetMany: (cache, key, goOn) =>
    cache.getOrSetMany([key], () => goOn.then(() => new Map([[key, 1]])), { tags: ['known'] }),
  forceRefresh: (cache, key, goOn) => cache.getOrSet(key, () => goOn, { forceRefresh: true }),
  'forceRefresh, late tags': (cache, key, goOn) =>
    cache.getOrSet(key, (context) => goOn.then(() => context.tag('later')), { forceRefresh: true }),
  'forceRefresh, too large': (cache, key, goOn) =>
    cache.getOrSet(
      key,
      (context) =>
        goOn.then(() => {
          context.tag('latest');
          return 'x'.repeat(2_000);
        }),
      { forceRefresh: true },
    ),
};

/** One that knows a tag, and has something stale. */
async function started(): Promise<{ replica: Replica; server: Awaited<ReturnType<typeof opened.server>> }> {
  const server = await opened.server({});
  const replica = await startReplica(opened, server.options, OPTIONS);
  const { cache } = replica;
  await eventually(() => cache.stats().coherent);
  await cache.getOrSet('known', () => 1, { tags: ['known'] });
  await cache.set('stale', 0, { ttl: 1, stale: '1m' });
  expect(await cache.get('stale', { stale: true })).toBe(0);
  return { replica, server };
}

/** How many budgets each took, by name. */
async function budgetsOf(calls: readonly (readonly [string, Promise<unknown>])[], from: number) {
  const told = calls.map(async ([name, call]) => {
    await call;
    return [name, Math.round((performance.now() - from) / BUDGET)] as const;
  });
  return Object.fromEntries(await Promise.all(told));
}

describe('while Redis is paused, and before it is left alone', () => {
  it('each call waits for it for one budget at most', async () => {
    const { replica, server } = await started();
    server.pause();
    const from = performance.now();
    const calls = Object.entries(CALLS).map(([name, call]) => [name, call(replica.cache, name)] as const);
    const budgets = await budgetsOf(calls, from);
    const { pendingInvalidations } = replica.cache.stats();
    server.resume();
    expect(Object.entries(budgets).filter(([, count]) => count > 1)).toEqual([]);
    // None is taken for done: five values and three keys, two tags and the generation.
    expect(pendingInvalidations).toBe(11);
    // Those that have to ask have waited.
    expect(budgets).toMatchObject({ get: 1, inspect: 1, 'getOrSet, late tags': 1, 'set, other tags': 1 });
  });

  it('each call does so, also where it was paused while the factory ran', async () => {
    const { replica, server } = await started();
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const calls = Object.entries(RUNS).map(([name, run]) => [name, run(replica.cache, name, gate)] as const);
    await eventually(() => replica.cache.stats().factoryRuns === calls.length + 1);
    server.pause();
    const from = performance.now();
    goOn();
    const budgets = await budgetsOf(calls, from);
    server.resume();
    expect(Object.entries(budgets).filter(([, count]) => count > 1)).toEqual([]);
    expect(budgets).toMatchObject({ 'late tags': 1, forceRefresh: 1 });
  });
});
