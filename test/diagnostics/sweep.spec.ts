import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { CacheModule, CacheService, RedisModule, RedisPermissionError, type RedisConnection } from 'rednest';
import {
  IdleTimeUnavailableError,
  InspectionConfigurationError,
  type RedisInspector,
} from 'rednest/diagnostics';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
import { openInspector } from './fixtures/open-inspector.js';

const USER = { username: 'limited', password: 'limited' };
const HOUR = 3_600;
/** Where an entry of the cache says when it was made. */
const BORN = 24;

describe('keys that are not used', () => {
  const opened = new Opened();
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = await server.admin();
  });
  beforeEach(async () => {
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    await redis.flushall();
  });
  afterAll(() => server.stop());

  const inspect = async (): Promise<RedisInspector> =>
    (await openInspector(opened, server.options)).inspector;

  async function inspectAs(...rules: string[]): Promise<RedisInspector> {
    await redis.acl('SETUSER', USER.username, 'reset', 'on', `>${USER.password}`, ...rules);
    return (await openInspector(opened, { ...server.options, ...USER })).inspector;
  }

  /** Makes keys of different types that were not used for so many hours. */
  async function fillIdle(prefix: string, hours: readonly number[], client = redis): Promise<void> {
    await client.set('template:string', 'value');
    await client.rpush('template:list', 1, 2, 3);
    const dumps = await Promise.all([
      client.dumpBuffer('template:string'),
      client.dumpBuffer('template:list'),
    ]);
    await client.del('template:string', 'template:list');
    const pipeline = client.pipeline();
    for (const [number, hour] of hours.entries())
      pipeline.restore(`${prefix}${number}`, 0, dumps[number % 2]!, 'IDLETIME', hour * HOUR);
    await pipeline.exec();
  }

  /** Does something before each of the scripts that an inspector sends. @returns what they reply */
  function beforeScripts(connection: RedisConnection, action: () => Promise<unknown>): unknown[] {
    const [master] = connection.masters();
    const evalsha = master!.evalsha.bind(master) as (...args: unknown[]) => Promise<unknown>;
    const replies: unknown[] = [];
    Object.assign(master!, {
      evalsha: async (...args: unknown[]) => {
        await action();
        const reply = await evalsha(...args);
        replies.push(reply);
        return reply;
      },
    });
    return replies;
  }

  const idleOf = async (key: string): Promise<number> => Number(await redis.object('IDLETIME', key));

  it('are listed with how long that is, and to look at them is no use', async () => {
    await fillIdle('key:', [20, 0, 30, 10, 5]);
    await redis.set('used', 'now');
    const inspector = await inspect();
    // How many elements it has is asked only of the one that is listed, which is used by that.
    expect(await inspector.bigKeys({ top: 1 })).toMatchObject({ keys: [{ key: 'key:1', elements: 3 }] });
    await inspector.sweep({ match: '*', idleFor: '9h', dryRun: true });
    const { keys, ...report } = await inspector.staleKeys({ idleFor: '9h', top: 2 });
    expect(report).toEqual({
      scanned: 6,
      stale: 3,
      unknown: 0,
      warnings: [],
      complete: true,
      failure: undefined,
      omitted: [],
    });
    expect(keys).toMatchObject([
      { node: 'default', key: 'key:2' },
      { node: 'default', key: 'key:0' },
    ]);
    expect(keys.map(({ idle }) => Math.floor(idle / 1_000 / HOUR))).toEqual([30, 20]);
    expect(await idleOf('key:3')).toBeGreaterThanOrEqual(10 * HOUR);
  });

  it('are removed where they match, and counted only in a dry run', async () => {
    await fillIdle('session:', [...Array<number>(250).fill(20), ...Array<number>(50).fill(2)]);
    await fillIdle('other:', [20]);
    const inspector = await inspect();
    const sweep = { match: 'session:*', idleFor: '9h' } as const;
    expect(await inspector.sweep({ ...sweep, dryRun: true })).toEqual({
      removed: 250,
      unknown: 0,
      dryRun: true,
      scanned: 300,
      complete: true,
      failure: undefined,
      omitted: [],
    });
    expect(await redis.dbsize()).toBe(301);
    expect(await inspector.sweep(sweep)).toMatchObject({ removed: 250, dryRun: false, complete: true });
    expect(await redis.dbsize()).toBe(51);
    expect(await redis.exists('other:0')).toBe(1);
    expect(await inspector.sweep(sweep)).toMatchObject({ removed: 0 });
  });

  it('stay where they are used after they were looked at', async () => {
    await fillIdle('key:', Array<number>(50).fill(20));
    const { inspector, connection } = await openInspector(opened, server.options);
    let used = 0;
    beforeScripts(connection, async () => {
      if (used++ === 0) await redis.touch('key:7', 'key:8');
    });
    expect(await inspector.sweep({ match: '*', idleFor: '9h' })).toMatchObject({ scanned: 50 });
    expect(used).toBe(50);
    // One of them may have been the first, which was sent before.
    expect((await redis.keys('*')).toSorted()).toEqual(['key:7', 'key:8']);
  });

  it('are not taken for such where their value is a number that the server has once for all keys', async () => {
    await redis.set('flag', 7_777);
    await redis.incr('counter');
    // Though both were written just now: it is the object that was not touched since the server started.
    await eventually(async () => (await idleOf('flag')) >= 2 && (await idleOf('counter')) >= 2);
    await fillIdle('key:', [20, 20]);
    const { inspector, connection } = await openInspector(opened, server.options);
    expect(await inspector.staleKeys({ idleFor: '2s' })).toMatchObject({ scanned: 4, stale: 2, unknown: 2 });
    // Once: a second write would look at the object, which is a use.
    let written: Promise<unknown> | undefined;
    beforeScripts(connection, async () => {
      await (written ??= redis.set('key:1', 7_777));
    });
    const sweep = await inspector.sweep({ match: '*', idleFor: '2s' });
    expect(sweep).toMatchObject({ removed: 1, unknown: 2 });
    expect((await redis.keys('*')).toSorted()).toEqual(['counter', 'flag', 'key:1']);
    // Where it evicts by LRU, each key has an object of its own.
    await redis.config('SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru');
    await redis.set('flag', 7_777);
    const { keys, unknown } = await inspector.staleKeys({ idleFor: 1 });
    await redis.config('SET', 'maxmemory', 0);
    expect(keys.map(({ key }) => key)).not.toContain('flag');
    expect(unknown).toBe(2);
  });

  it('are not removed where the server was a replica, before or meanwhile, unless it is trusted', async () => {
    const promoted = await opened.server({});
    const admin = await promoted.admin();
    const writes = Array.from({ length: 60 }, (_, number) => admin.set(`key:${number}`, 'value'));
    await Promise.all(writes);
    const { inspector, connection } = await openInspector(opened, promoted.options);
    await eventually(async () => (await inspector.staleKeys({ idleFor: 1 })).stale === 60);
    // Of a master that nobody ever reaches: its data stays as it is.
    const followNobody = () => admin.replicaof('127.0.0.1', 1);
    const takeOver = async () => {
      await followNobody();
      await admin.replicaof('NO', 'ONE');
    };
    let taken: Promise<void> | undefined;
    beforeScripts(connection, async () => {
      await (taken ??= takeOver());
    });
    const sweep = { match: '*', idleFor: 1 } as const;
    const refused = { code: 'INSPECTION_IDLE_TIME_UNAVAILABLE', reason: 'replication' };
    await expect(inspector.sweep(sweep)).rejects.toMatchObject(refused);
    expect(taken).toBeDefined();
    expect(await admin.dbsize()).toBe(60);
    await expect(inspector.sweep({ ...sweep, dryRun: true })).rejects.toThrow(
      /has taken over.*trustIdleTimes/,
    );
    const { stale, warnings } = await inspector.staleKeys({ idleFor: 1 });
    expect({ stale, warnings }).toEqual({
      stale: 60,
      warnings: [expect.stringMatching(/^default: .*taken over/)],
    });
    await followNobody();
    await expect(inspector.sweep({ ...sweep, dryRun: true })).rejects.toThrow(/is a replica/);
    await admin.replicaof('NO', 'ONE');
    expect(await inspector.sweep({ ...sweep, trustIdleTimes: true })).toMatchObject({ removed: 60 });
  });

  it('are not removed where the server has taken over so long ago that it has forgotten', async () => {
    const [primary, promoted] = await Promise.all([opened.server({}), opened.server({})]);
    const [primaryAdmin, admin] = await Promise.all([primary.admin(), promoted.admin()]);
    await primaryAdmin.config('SET', 'repl-diskless-sync-delay', 0);
    await admin.config('SET', 'repl-backlog-ttl', 1);
    // It comes as the default user.
    await admin.config('SET', 'masteruser', '');
    await admin.config('SET', 'masterauth', '');
    for (const client of [primaryAdmin, admin]) await client.mset({ 'key:1': 'value', 'key:2': 'value' });
    const { inspector, connection } = await openInspector(opened, promoted.options);
    await eventually(async () => (await inspector.staleKeys({ idleFor: 1 })).stale === 2);
    const takeOver = async (): Promise<void> => {
      await admin.replicaof(primary.options.host, primary.options.port);
      await eventually(async () => /master_link_status:up/.test(await admin.info('replication')));
      await primaryAdmin.set('key:3', 'value');
      await eventually(async () => (await admin.exists('key:3')) === 1);
      await admin.replicaof('NO', 'ONE');
      await eventually(async () => /second_repl_offset:-1\r/.test(await admin.info('replication')), 20_000);
      await eventually(async () => (await admin.object('IDLETIME', 'key:1')) !== 0);
    };
    let taken: Promise<void> | undefined;
    beforeScripts(connection, async () => {
      await (taken ??= takeOver());
    });
    const refused = { code: 'INSPECTION_IDLE_TIME_UNAVAILABLE', reason: 'replication' };
    await expect(inspector.sweep({ match: '*', idleFor: 1 })).rejects.toMatchObject(refused);
    expect(taken).toBeDefined();
    expect(await admin.dbsize()).toBe(3);
    const dryRun = inspector.sweep({ match: '*', idleFor: 1, dryRun: true });
    await expect(dryRun).rejects.toMatchObject(refused);
  }, 60_000);

  it('stay while the server writes a snapshot, and notes no use', async () => {
    const saving = await opened.server({});
    const admin = await saving.admin();
    await fillIdle('key:', Array<number>(60).fill(20), admin);
    // In microseconds.
    await admin.config('SET', 'rdb-key-save-delay', 30_000);
    const isSaving = async (): Promise<boolean> =>
      /rdb_bgsave_in_progress:1/.test(await admin.info('persistence'));
    const { inspector, connection } = await openInspector(opened, saving.options);
    await admin.bgsave();
    const { warnings } = await inspector.staleKeys({ idleFor: '9h' });
    expect(warnings).toEqual([expect.stringMatching(/^default: it writes a snapshot/)]);
    const sweep = { match: '*', idleFor: '9h' } as const;
    expect(await inspector.sweep({ ...sweep, dryRun: true })).toMatchObject({ removed: 60 });
    expect(await isSaving()).toBe(false);
    const tooShort = inspector.sweep({ ...sweep, idleFor: '1s' });
    await expect(tooShort).rejects.toMatchObject({ reason: 'persistence' });
    let begun: Promise<unknown> | undefined;
    const replies = beforeScripts(connection, async () => {
      await (begun ??= admin.bgsave());
    });
    expect(await inspector.sweep(sweep)).toMatchObject({ removed: 60, complete: true });
    expect(replies).toContain(-2);
    expect(replies.slice(0, replies.lastIndexOf(-2))).not.toContain(1);
  }, 60_000);

  it('that were removed are told of, where the sweep is refused in the middle', async () => {
    await fillIdle('key:', Array<number>(200).fill(20));
    const { inspector, connection } = await openInspector(opened, server.options);
    let calls = 0;
    beforeScripts(connection, async () => {
      if (++calls === 101) await redis.config('SET', 'maxmemory-policy', 'allkeys-lfu');
    });
    const { removed, ...report } = await inspector.sweep({ match: '*', idleFor: '9h' });
    expect(report).toMatchObject({ complete: false, failure: { reason: 'policy' } });
    expect(removed).toBeGreaterThan(0);
    expect(await redis.dbsize()).toBe(200 - removed);
    expect(removed).toBeLessThan(200);
  });

  it('are not known under an LFU policy, which is said before anything is removed', async () => {
    await redis.set('key', 'value');
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lfu');
    const inspector = await inspect();
    await expect(inspector.staleKeys({ idleFor: '1h' })).rejects.toThrow(/under the policy allkeys-lfu/);
    const sweep = inspector.sweep({ match: '*', idleFor: '1h' });
    await expect(sweep).rejects.toThrow(IdleTimeUnavailableError);
    // One that is set while keys are walked through.
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
    const keys = Object.fromEntries(Array.from({ length: 3_000 }, (_, number) => [`key:${number}`, 'value']));
    await redis.mset(keys);
    let changed: Promise<unknown> | undefined;
    const onProgress = (): void => void (changed ??= redis.config('SET', 'maxmemory-policy', 'allkeys-lfu'));
    const late = inspector.staleKeys({ idleFor: '1h', onProgress });
    await expect(late).rejects.toThrow(IdleTimeUnavailableError);
    await changed;
  });

  it('are not told to who may not ask', async () => {
    await fillIdle('key:', [20, 20]);
    await fillIdle('other:', [20]);
    const withoutObject = await inspectAs('~*', '+@all', '-object');
    await expect(withoutObject.staleKeys({ idleFor: '1h' })).rejects.toThrow(RedisPermissionError);
    const withoutUnlink = await inspectAs('~*', '+@all', '-unlink');
    const sweep = { match: '*', idleFor: '1h' } as const;
    await expect(withoutUnlink.sweep(sweep)).rejects.toThrow(RedisPermissionError);
    expect(await redis.dbsize()).toBe(3);
    const ofSome = await inspectAs('~key:*', '+@all');
    expect(await ofSome.sweep(sweep)).toMatchObject({
      removed: 2,
      omitted: [{ part: 'some keys', reason: 'not permitted' }],
    });
    expect(await redis.keys('*')).toEqual(['other:0']);
  });

  it('need no more than the rules that the guide tells', async () => {
    await fillIdle('key:', [20, 20]);
    const scan = '~* +scan +dbsize +info +object|idletime +object|refcount +hello +client +ping';
    const inspector = await inspectAs(...scan.split(' '));
    expect(await inspector.staleKeys({ idleFor: '1h' })).toMatchObject({ stale: 2, omitted: [] });
    const sweeper = await inspectAs(...`${scan} +evalsha +eval +unlink +getrange +time`.split(' '));
    expect(await sweeper.sweep({ match: '*', idleFor: '1h' })).toMatchObject({ removed: 2, omitted: [] });
    await redis.set('other', 'x'.repeat(100));
    expect(await sweeper.sweep({ match: '*', olderThan: '1h' })).toMatchObject({ removed: 0, scanned: 1 });
  });

  it('of the cache are removed by their age, and nothing else is', async () => {
    const { app } = await startApplication([
      RedisModule.forRoot(server.options),
      CacheModule.forRoot({ namespace: 'app' }),
    ]);
    opened.add({ [Symbol.asyncDispose]: () => app.close() });
    const cache = app.get(CacheService);
    const ages = { old: 5, older: 7, young: 1 };
    for (const [key, hours] of Object.entries(ages)) {
      await cache.set(key, key, { ttl: '1d' });
      const born = Buffer.alloc(8);
      born.writeDoubleLE(Date.now() - hours * HOUR * 1_000);
      await redis.setrange((await cache.inspect(key)).redisKey, BORN, born);
    }
    await cache.set('new', 'new');
    await redis.mset({ 'app:text': 'x'.repeat(100), short: 'x' });
    await redis.rpush('app:list', 1, 2);
    const inspector = await inspect();
    const sweep = { match: 'app:*', olderThan: '3h' } as const;
    expect(await inspector.sweep({ ...sweep, dryRun: true })).toMatchObject({ removed: 2 });
    const before = await redis.dbsize();
    expect(await inspector.sweep(sweep)).toMatchObject({ removed: 2, complete: true, omitted: [] });
    expect(await redis.dbsize()).toBe(before - 2);
    for (const [key, hours] of Object.entries(ages))
      expect((await cache.inspect(key)).state === 'missing').toBe(hours > 3);
    expect((await cache.inspect('new')).state).toBe('fresh');
    // Under any policy: it is the age that counts.
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lfu');
    expect(await inspector.sweep(sweep)).toMatchObject({ removed: 0 });
  });

  it('cannot be swept by mistake', async () => {
    const inspector = await inspect();
    const problemsOf = async (options: object): Promise<string[]> => {
      const refused: unknown = await inspector.sweep(options as never).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(InspectionConfigurationError);
      return (refused as InspectionConfigurationError).problems.map(({ option }) => option);
    };
    expect(await problemsOf({})).toEqual(['match', 'idleFor']);
    expect(await problemsOf({ match: '*', idleFor: '1h', olderThan: '1h' })).toEqual(['idleFor']);
    expect(await problemsOf({ match: '*', idleFor: 'long', limit: 3, dryRun: 1 })).toHaveLength(3);
    await expect(inspector.staleKeys({} as never)).rejects.toThrow(/idleFor: is missing/);
    expect(await problemsOf({ match: '*', olderThan: '1h', trustIdleTimes: true })).toEqual([
      'trustIdleTimes',
    ]);
    // The server has 24 bits for seconds.
    const longest = 2 ** 24 * 1_000;
    expect(await problemsOf({ match: '*', idleFor: longest })).toEqual(['idleFor']);
    await expect(inspector.staleKeys({ idleFor: '195d' })).rejects.toThrow(
      /more than 194 days: the server counts/,
    );
    expect(await inspector.staleKeys({ idleFor: longest - 1 })).toMatchObject({ complete: true });
    expect(await inspector.sweep({ match: '*', olderThan: longest })).toMatchObject({ complete: true });
  });
});
