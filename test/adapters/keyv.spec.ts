import { afterEach, describe, expect, it } from '@jest/globals';
import { Keyv, type KeyvStoreAdapter } from 'keyv';
import { RedisError, type CacheService } from 'rednest';
import { AdapterConfigurationError, KeyvCacheStore } from 'rednest/keyv';
import { startRedis } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { Replicas, startReplica } from './fixtures/keyv-cache.js';

const opened = new Opened();
const replicas = new Replicas(() => startRedis(), 2);

/** Where one namespace is the beginning of another, or a pattern that matches it. */
const NAMESPACES = ['a', 'a:a', 'a:', 'ab', 'a*', '*', '[a-z]', 'a%3Aa', '?', '^', 'a\\', '\\*', 'Zürich'];

async function entries(keyv: Keyv): Promise<[string, unknown][]> {
  const all: [string, unknown][] = [];
  for await (const entry of keyv.iterator!(undefined)) all.push(entry as [string, unknown]);
  return all;
}

function keyvOf(cache: CacheService, namespace = 'keyv'): Keyv {
  return new Keyv({ store: new KeyvCacheStore(cache), namespace });
}

/** The same namespace, as each replica has it. */
function pair(namespace?: string): readonly [Keyv, Keyv] {
  return [keyvOf(replicas.at(0).cache, namespace), keyvOf(replicas.at(1).cache, namespace)];
}

async function inspect(key: string) {
  const { cache } = replicas.at(0);
  const inspection = await cache.inspect(`keyv:keyv:${key}`);
  return { ...inspection, freshFor: inspection.freshFor ?? 0, staleFor: inspection.staleFor ?? 0 };
}

afterEach(() => replicas.at(0).cache.clear());

describe('a Keyv on a cache', () => {
  it('is seen by all replicas, at once after a change', async () => {
    const [one, other] = pair();
    await one.set('a', 1);
    await eventually(async () => (await other.get('a')) === 1);
    await one.setMany([
      { key: 'a', value: 2 },
      { key: 'b', value: 3, ttl: 60_000 },
    ]);
    await eventually(async () => (await other.get('a')) === 2);
    expect(await other.getMany(['a', 'b', 'c'])).toEqual([2, 3, undefined]);
    expect(await other.hasMany(['a', 'b', 'c'])).toEqual([true, true, false]);
    await other.delete('a');
    await eventually(async () => (await one.get('a')) === undefined);
  });

  it('reads from the memory of the process, without a command', async () => {
    const [keyv] = pair();
    const admin = await replicas.servers.admin();
    const reads = async (): Promise<string[] | null> =>
      (await admin.info('commandstats')).match(/^cmdstat_(get|mget|exists|evalsha):calls=\d+/gm);
    await keyv.set('a', 'value');
    await eventually(async () => (await keyv.get('a')) === 'value' && (await inspect('a')).local);
    const before = await reads();
    for (let call = 0; call < 50; call++) expect(await keyv.get('a')).toBe('value');
    expect(await keyv.getMany(['a'])).toEqual(['value']);
    expect(await keyv.has('a')).toBe(true);
    expect(await reads()).toEqual(before);
  });

  it('keeps a value for as long as Keyv says, whatever the options of the cache', async () => {
    const [keyv] = pair();
    const year = 365 * 86_400_000;
    await keyv.set('short', 1, 60_000);
    await keyv.set('for ever', 1);
    await keyv.set('zero', 1, 0);
    const admin = await replicas.servers.admin();
    const { freshFor, staleFor, redisKey } = await inspect('short');
    expect(freshFor).toBeGreaterThan(50_000);
    expect(staleFor).toBeLessThanOrEqual(60_000);
    expect(await admin.pttl(redisKey)).toBeLessThanOrEqual(60_000);
    expect((await inspect('for ever')).freshFor).toBeGreaterThan(9 * year);
    expect((await inspect('zero')).freshFor).toBeGreaterThan(9 * year);
  });

  it('has nothing of what Keyv says is over', async () => {
    const [keyv] = pair();
    await keyv.setMany([
      { key: 'a', value: 1 },
      { key: 'b', value: 1 },
    ]);
    await keyv.set('a', 2, -1);
    await keyv.setMany([{ key: 'b', value: 2, ttl: -1 }]);
    expect(await keyv.hasMany(['a', 'b'])).toEqual([false, false]);
  });

  it('tells whether there was what it deletes', async () => {
    const [keyv] = pair();
    await keyv.set('a', 1);
    expect(await keyv.delete('b')).toBe(false);
    expect(await keyv.delete('a')).toBe(true);
    expect(await keyv.delete('a')).toBe(false);
    await keyv.set('a', 1);
    expect(await keyv.delete(['a', 'b'])).toBe(false);
    expect(await keyv.has('a')).toBe(false);
  });

  it('keeps what JSON does not, where Keyv leaves it to the cache', async () => {
    const store = new KeyvCacheStore(replicas.at(0).cache);
    const keyv = new Keyv({ store, serialize: undefined, deserialize: undefined } as never);
    const value = { at: new Date(0), ids: new Set([1n]), bytes: Buffer.from('a'), none: undefined };
    await keyv.set('a', value, 60_000);
    expect(await keyv.get('a')).toEqual(value);
    expect(await entries(keyv)).toEqual([['a', value]]);
  });

  it('is one of the adapters that Keyv knows, and refuses what is no cache', () => {
    const adapter: KeyvStoreAdapter = new KeyvCacheStore(replicas.at(0).cache);
    expect(adapter.on('error', () => undefined)).toBe(adapter);
    const build = () => new KeyvCacheStore('cache' as never);
    expect(build).toThrow(AdapterConfigurationError);
    expect(build).toThrow("'cache' is not a CacheService");
  });
});

it('is taken by Keyv 6 for a store that sees to namespaces itself', () => {
  const store = new KeyvCacheStore(replicas.at(0).cache);
  const methods = ['get', 'has', 'hasMany', 'set', 'setMany', 'delete', 'deleteMany', 'clear'] as const;
  // This is how it looks for one.
  expect(new Set(methods.map((name) => store[name].constructor.name))).toEqual(new Set(['AsyncFunction']));
  expect('namespace' in store).toBe(true);
  expect('capabilities' in store).toBe(false);
});

describe('a namespace', () => {
  it.each(NAMESPACES)('%j is cleared without any other', async (namespace) => {
    const keyvs = NAMESPACES.map((each) => pair(each));
    await Promise.all(keyvs.map(([keyv], position) => keyv.set('a:foo', position)));
    const cleared = NAMESPACES.indexOf(namespace);
    const expected = NAMESPACES.map((_, position) => (position === cleared ? undefined : position));
    const [one, other] = keyvs[cleared]!;
    expect(await other.get('a:foo')).toBe(cleared);
    await one.clear();
    expect(await Promise.all(keyvs.map(([keyv]) => keyv.get('a:foo')))).toEqual(expected);
    await eventually(async () => (await other.get('a:foo')) === undefined);
    const admin = await replicas.servers.admin();
    expect(await admin.keys('app:cache:e:default:*')).toHaveLength(NAMESPACES.length - 1);
    await one.set('a:foo', 'again');
    await eventually(async () => (await other.get('a:foo')) === 'again');
  });

  it('keeps its keys apart, also where Keyv does not', async () => {
    const { cache } = replicas.at(0);
    const keyvs = ['a', 'a:a'].map(
      (namespace) => new Keyv({ store: new KeyvCacheStore(cache), namespace, useKeyPrefix: false }),
    );
    await Promise.all(keyvs.map((keyv, position) => keyv.set('foo', position)));
    await Promise.all(keyvs.map((keyv, position) => keyv.set('a:foo', `a${position}`)));
    for (const [position, keyv] of keyvs.entries())
      expect(Object.fromEntries(await entries(keyv))).toEqual({ foo: position, 'a:foo': `a${position}` });
    await keyvs[0]!.clear();
    expect(await Promise.all(keyvs.map((keyv) => keyv.get('foo')))).toEqual([undefined, 1]);
  });

  it('is iterated over a page at a time', async () => {
    const [keyv, other] = [pair('a')[0], pair('a*')[0]];
    const expected = Array.from({ length: 2_500 }, (_, index) => [`k${index}`, index] as const);
    await other.set('foo', 1);
    await keyv.setMany(expected.map(([key, value]) => ({ key, value })));
    // SCAN may tell of a key more than once.
    const found = new Map(await entries(keyv));
    expect(found).toEqual(new Map(expected));
  });

  it('that is none is one, too', async () => {
    const { cache } = replicas.at(0);
    const keyv = new Keyv({ store: new KeyvCacheStore(cache), namespace: '', useKeyPrefix: false });
    const named = new Keyv({ store: new KeyvCacheStore(cache), namespace: 'a', useKeyPrefix: false });
    await keyv.set('a:foo', 1);
    await named.set('foo', 2);
    await cache.set('own', 3, { ttl: '1m' });
    expect(await keyv.get('a:foo')).toBe(1);
    expect(await entries(keyv)).toEqual([['a:foo', 1]]);
    await keyv.clear();
    expect(await keyv.has('a:foo')).toBe(false);
    expect(await named.get('foo')).toBe(2);
    expect(await cache.get('own')).toBe(3);
  });
});

describe('a value that the cache does not take', () => {
  it.each([
    ['skip', true, 0],
    ['throw', false, 1],
  ] as const)('with oversize %j', async (oversize, isTaken, errors) => {
    const { app, cache } = await startReplica(replicas.servers.options, { oversize, maxValueSize: 100 });
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    const keyv = keyvOf(cache);
    const told: unknown[] = [];
    keyv.on('error', (error) => told.push(error));
    expect(await keyv.set('a', 'x'.repeat(200))).toBe(isTaken);
    expect(await keyv.get('a')).toBeUndefined();
    expect(told).toHaveLength(errors);
  });
});

describe('while Redis is killed', () => {
  it('no call fails, and what was cleared or deleted meanwhile is gone when it is back', async () => {
    const server = await opened.server({ config: { appendonly: 'yes', appendfsync: 'always' } });
    const started = [
      await startReplica(server.options, { budget: '200ms' }),
      await startReplica(server.options, { budget: '200ms' }),
    ];
    for (const { app } of started) opened.add({ [Symbol.asyncDispose]: () => app.close() });
    const [kept, cleared, deleted] = ['kept', 'cleared', 'deleted'].map((namespace) =>
      started.map(({ cache }) => keyvOf(cache, namespace)),
    ) as [Keyv[], Keyv[], Keyv[]];
    for (const [keyv] of [kept, cleared, deleted]) {
      keyv!.on('error', (error) => expect(error).toBeUndefined());
      await keyv!.set('a', 1);
    }
    await server.kill();
    await eventually(async () => {
      await cleared[0]!.get('nothing');
      return !started[0]!.cache.stats().available;
    });
    await cleared[0]!.clear();
    expect(await deleted[0]!.delete('a')).toBe(false);
    expect(await kept[0]!.set('b', 1)).toBe(true);
    expect(await kept[0]!.getMany(['b', 'c'])).toEqual([undefined, undefined]);
    expect(await kept[0]!.has('b')).toBe(false);
    await expect(entries(kept[0]!)).rejects.toThrow(RedisError);
    expect(started[1]!.log.texts('KeyvCacheStore')).toEqual([
      expect.stringMatching(
        /^Namespace 'cleared' of cache 'default' was cleared, but its entries are still in/,
      ),
    ]);
    await server.restart();
    await eventually(async () => (await kept[0]!.get('a')) === 1 && (await kept[1]!.get('a')) === 1, 15_000);
    await eventually(() => started[0]!.cache.stats().pendingInvalidations === 0);
    for (const keyv of [...cleared, ...deleted])
      await eventually(async () => (await keyv.get('a')) === undefined);
    await cleared[0]!.set('a', 2);
    await eventually(async () => (await cleared[1]!.get('a')) === 2);
  });
});
