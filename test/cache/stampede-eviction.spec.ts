import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CacheModule, CacheService, RedisModule, type CoherenceMode, type CacheFactory } from 'rednest';
import { FaultProxy, startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
import { ProcessGroup } from './fixtures/process-group.js';
import type { CacheProcess } from './fixtures/process-handle.js';

const MODES = ['tracking', 'pubsub', 'none'] as const;

/** Without coherence, others learn of a change when their own entry is so old (milliseconds). */
const MAX_AGE = 200;

// The budget is generous here: what is at stake is what is served, and not how long Redis may take on a busy machine.
const root = { namespace: 'app', ttl: '1m', stale: '1m', budget: '5s', local: { maxAge: MAX_AGE } } as const;

let server: RedisServer;
let group: ProcessGroup;
beforeAll(async () => {
  group = new ProcessGroup(2);
  server = await startRedis();
});
afterEach(async () => {
  await group.close();
  await (await server.admin()).flushall();
});
afterAll(async () => {
  await group[Symbol.asyncDispose]();
  await server.stop();
});

interface Eviction {
  readonly name: string;
  /** What others are told of it; in the process that does it, it holds at once. */
  readonly toldBy: readonly CoherenceMode[];
  readonly evict: (other: CacheProcess) => Promise<unknown>;
}

const EVICTIONS: readonly Eviction[] = [
  { name: 'delete', toldBy: ['tracking', 'pubsub'], evict: (other) => other.call('delete', 'city') },
  {
    name: 'invalidateTags',
    toldBy: ['tracking', 'pubsub'],
    evict: (other) => other.call('invalidateTags', 'cities'),
  },
  { name: 'expire', toldBy: ['tracking', 'pubsub'], evict: (other) => other.call('expire', 'city') },
  { name: 'clear', toldBy: ['tracking', 'pubsub'], evict: (other) => other.call('clear') },
  {
    name: 'DEL by redis-cli',
    toldBy: ['tracking'],
    evict: async () => (await server.admin()).del('app:cache:e:default:city'),
  },
];

const cases = MODES.flatMap((mode) => EVICTIONS.map((eviction) => ({ mode, ...eviction })));

describe('a factory that has read an old row, an eviction, and then the fill', () => {
  it.each(cases)('by another process: $name, coherence $mode', async ({ mode, toldBy, evict }) => {
    const [maker, other] = (await group.open(server.options, { ...root, coherence: mode })) as [
      CacheProcess,
      CacheProcess,
    ];
    const options = { tags: ['cities'] };
    const filled = maker.call('getOrSet', 'city', options);
    const old = await group.run(0);
    await evict(other);
    await sleep(100);
    group.giveAfter(0, 'new row');
    // In the middle, too: nobody joins what is older than an eviction that the process was told of.
    if (toldBy.includes(mode)) {
      const meanwhile = maker.call('getOrSet', 'city', options);
      await sleep(100);
      old.give('old row');
      expect(await meanwhile).toBe('new row');
    }
    old.give('old row');
    expect(await filled).toBe('old row');
    if (mode === 'none') await sleep(MAX_AGE);
    expect(await maker.call('getOrSet', 'city', options)).toBe('new row');
    expect(await other.call('getOrSet', 'city', options)).toBe('new row');
    expect(await maker.call('get', 'city')).toBe('new row');
    expect(group.runs).toHaveLength(2);
  });

  it.each(MODES)('while another process sets the key: %s', async (coherence) => {
    const [maker, other] = (await group.open(server.options, { ...root, coherence })) as [
      CacheProcess,
      CacheProcess,
    ];
    const filled = maker.call('getOrSet', 'city');
    const old = await group.run(0);
    await other.call('set', 'city', 'set');
    old.give('old row');
    expect(await filled).toBe('old row');
    for (const each of [maker, other]) expect(await each.call('get', 'city')).toBe('set');
    expect(group.runs).toHaveLength(1);
  });

  it.each(MODES)('of many keys: %s', async (coherence) => {
    const [maker, other] = (await group.open(server.options, { ...root, coherence })) as [
      CacheProcess,
      CacheProcess,
    ];
    const keys = ['deleted', 'kept', 'set', 'tagged'];
    const filled = maker.call('getOrSetMany', keys, { tags: ['cities'] });
    const old = await group.run(0);
    expect(old.keys).toEqual(keys);
    await other.call('delete', 'deleted');
    await other.call('set', 'set', 'set');
    old.give('old row');
    expect(await filled).toEqual(Array(4).fill('old row'));
    group.giveAfter(0, 'new row');
    const expected = ['new row', 'old row', 'set', 'old row'];
    for (const each of [maker, other]) expect(await each.call('getOrSetMany', keys)).toEqual(expected);
    expect(group.runs[1]!.keys).toEqual(['deleted']);
  });

  it.each(MODES)('of many keys, with a tag: %s', async (coherence) => {
    const [maker, other] = (await group.open(server.options, { ...root, coherence })) as [
      CacheProcess,
      CacheProcess,
    ];
    const keys = ['a', 'b'];
    const options = { tags: ['cities'] };
    const filled = maker.call('getOrSetMany', keys, options);
    const old = await group.run(0);
    await other.call('invalidateTags', 'cities');
    old.give('old row');
    expect(await filled).toEqual(['old row', 'old row']);
    group.giveAfter(0, 'new row');
    if (coherence === 'none') await sleep(MAX_AGE);
    for (const each of [maker, other])
      expect(await each.call('getOrSetMany', keys, options)).toEqual(['new row', 'new row']);
  });
});

describe('whoever asks after an eviction', () => {
  const opened = new Opened();

  const evictions: [string, (cache: CacheService) => Promise<unknown>][] = [
    ['delete', (cache) => cache.delete('city')],
    ['set', (cache) => cache.set('city', 'new row')],
    ['expire', (cache) => cache.expire('city')],
    ['invalidateTags', (cache) => cache.invalidateTags('cities')],
    ['invalidateTags of a tag that the factory adds', (cache) => cache.invalidateTags('late')],
    ['clear', (cache) => cache.clear()],
    ['deleteByPattern', (cache) => cache.deleteByPattern('c*')],
    ['DEL by redis-cli', async () => (await server.admin()).del('app:cache:e:default:city')],
    ['invalidateTags by another process', async () => (await server.admin()).incr('app:cache:t:cities')],
  ];

  it.each(evictions)('is never given an older row, nor joins who reads it: %s', async (_, evict) => {
    await askAround(evict, 0);
    await (await server.admin()).flushall();
    await askAround(evict, 10);
  });

  /** Calls come while the reads, the lease and the store are on their way, which a slow network makes long. */
  async function askAround(evict: (cache: CacheService) => Promise<unknown>, before: number): Promise<void> {
    const proxy = opened.add(await FaultProxy.start(server));
    const { app } = await startApplication([
      RedisModule.forRoot(proxy.optionsFor(server.options)),
      CacheModule.forRoot({ ...root, namespace: 'app' }),
    ]);
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    const cache = app.get(CacheService);
    let row = 'old row';
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    let runs = 0;
    const factory: CacheFactory<string> = async (context) => {
      const read = row;
      context.tag('late');
      if (++runs === 1) await released;
      return read;
    };
    const ask = () => cache.getOrSet('city', factory, { tags: ['cities'] });
    const asked = [ask()];
    await eventually(() => runs === 1);
    proxy.delay(15);
    await sleep(50);
    row = 'new row';
    // One that has looked before the eviction, and hears of what it found after it.
    asked.push(ask());
    await evict(cache);
    await sleep(50);
    const late: Promise<string>[] = [];
    for (let step = 0; step < 60; step++) {
      if (step === before) release();
      late.push(ask());
      await sleep(2);
    }
    expect(new Set(await Promise.all(late))).toEqual(new Set(['new row']));
    expect(await asked[0]).toBe('old row');
    expect(runs).toBeLessThanOrEqual(3);
  }
});
