import { describe, expect, it } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import {
  lockChannel,
  LockConfigurationError,
  LockLostError,
  LockUnavailableError,
  namespace,
  type Lease,
  type LockEvents,
  type LockRootOptions,
  type LockService,
  type RedisModuleOptions,
} from 'rednest';
import { startCluster, startRedis, type RedisServer } from 'rednest/testing';
import { Resources } from '../../src/lock/server/resource.js';
import { revokeScript } from '../../src/lock/server/scripts.js';
import { eventually } from '../support/eventually.js';
import { guideAcl } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { refusals } from '../support/server-view.js';
import { openLocks } from './fixtures/cluster-locks.js';

const opened = new Opened();
const reason = 'hangs since 14:00';

interface Server {
  readonly options: RedisModuleOptions;
}

async function startServer(): Promise<RedisServer> {
  return opened.add(await startRedis());
}

async function replica(
  { options }: Server,
  holder: string,
  more: LockRootOptions = {},
): Promise<LockService> {
  return (await openLocks(opened, options, { namespace: 'lock', holder, ...more })).locks;
}

/** The channels on which processes listen. */
async function wakeChannels(server: RedisServer): Promise<number> {
  return ((await (await server.admin()).pubsub('CHANNELS', 'lock:wake:*')) as string[]).length;
}

function waits(locks: LockService): Promise<boolean> {
  return eventually(() => locks.stats().waiting > 0);
}

async function loss(lease: Lease): Promise<LockLostError> {
  if (!lease.signal.aborted) await once(lease.signal, 'abort');
  return lease.signal.reason as LockLostError;
}

describe('forceRelease', () => {
  it('frees the resource and returns who held it', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    const lease = await one.acquire('a', { ttl: '30s' });
    expect(await two.forceRelease('a', { reason })).toEqual([
      { holder: 'one', token: expect.any(String), fence: lease.fence },
    ]);
    const next = await two.tryAcquire('a');
    expect(next!.fence).toBeGreaterThan(lease.fence);
    expect(await lease.release()).toBe('lost');
    expect((await one.inspect('a')).holders).toEqual([expect.objectContaining({ holder: 'two' })]);
    await next!.release();
  });

  it('does nothing where nobody holds it', async () => {
    const server = await startServer();
    const locks = await replica(server, 'one');
    expect(await locks.forceRelease('a', { reason })).toEqual([]);
    expect(await (await server.admin()).dbsize()).toBe(0);
  });

  it('lets in the next waiter, and tells a holder that listens at once', async () => {
    const server = await startServer();
    const [one, two, three] = [
      await replica(server, 'one'),
      await replica(server, 'two'),
      await replica(server, 'three'),
    ];
    const first = await two.acquire('a', { ttl: '1m' });
    const holding = one.acquire('a', { ttl: '1m' });
    await waits(one);
    await first.release();
    const lease = await holding;
    // Renewed by now, and next in 20 s.
    await eventually(() => lease.remaining > 50_000);
    const waiting = three.acquire('a');
    await waits(three);

    await two.forceRelease('a', { reason });
    expect(await loss(lease)).toMatchObject({ code: 'LOCK_LOST', reason: 'revoked', resource: 'a' });
    const next = await waiting;
    expect(next.fence).toBeGreaterThan(lease.fence);
    expect(next.lost).toBeUndefined();
    await next.release();
  });

  it('is heard by a process that never waited, once it has held something for so long that it was renewed', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    await one.acquire('long', { ttl: '300ms' });
    await eventually(async () => (await wakeChannels(server)) === 1);
    const lease = await one.acquire('a', { ttl: '1m' });
    await two.forceRelease('a', { reason });
    expect(await loss(lease)).toMatchObject({ reason: 'revoked' });
  });

  it('costs who holds a lock for a short time no subscription', async () => {
    const server = await startServer();
    const locks = await replica(server, 'one');
    for (let round = 0; round < 20; round++) await locks.using('a', () => undefined);
    expect(await wakeChannels(server)).toBe(0);
  });

  it('is found by the next renewal where the holder does not listen, which brings nothing back', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    const lease = await one.acquire('a', { ttl: '1m' });
    const { signal } = lease;
    await two.forceRelease('a', { reason });
    expect(signal.aborted).toBe(false);
    await expect(lease.extend()).rejects.toMatchObject({ code: 'LOCK_LOST', reason: 'taken' });
    expect(signal.aborted).toBe(true);
    const { holders, fence } = await two.inspect('a');
    expect(holders).toEqual([]);
    expect(fence).toBeGreaterThan(lease.fence);
  });

  it('is found by the timer, too', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    const lease = await one.acquire('a', { ttl: '1s' });
    await two.forceRelease('a', { reason });
    // By its first renewal it listens, so that either may be what it learns.
    expect(['revoked', 'taken']).toContain((await loss(lease)).reason);
    expect(one.held()).toEqual([]);
  });

  it('is found at the release by a holder that neither listens nor renews', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    const lease = await one.acquire('a', { ttl: '1m', renew: false });
    await two.forceRelease('a', { reason });
    const next = await two.acquire('a');
    expect(await lease.release()).toBe('lost');
    expect(lease.lost).toMatchObject({ reason: 'taken' });
    expect(await next.release()).toBe('released');
  });

  it('tells the holders of this process, whether they listen or not', async () => {
    const locks = await replica(await startServer(), 'one');
    const lease = await locks.acquire('a', { ttl: '1m' });
    await locks.forceRelease('a', { reason });
    expect(lease.lost).toMatchObject({ reason: 'revoked' });
    expect(lease.remaining).toBe(0);
  });

  it('reaches one that was let in a moment ago', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    for (let round = 0; round < 20; round++) {
      const lease = await one.acquire('a', { ttl: '1m' });
      const waiting = two.acquire('a', { ttl: '1m' });
      await waits(two);
      const [, revoked] = await Promise.all([lease.release(), one.forceRelease('a', { reason })]);
      const next = await waiting;
      expect(revoked).toEqual([expect.objectContaining({ holder: 'two', fence: next.fence })]);
      expect(await loss(next)).toMatchObject({ reason: 'revoked' });
    }
  });

  it('ends a lease of several resources as a whole', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    const lease = await one.acquire(['a', 'b', 'c'], { ttl: '1s' });
    await two.forceRelease('b', { reason });
    await loss(lease);
    const others = await two.acquire(['a', 'b', 'c'], { wait: '900ms' });
    expect(others.fence).toBeGreaterThan(lease.fence);
    await others.release();
  });

  it('that nobody has heard of is not undone where the last of several resources is acquired', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    const blocker = await two.acquire('b', { ttl: '30s' });
    const acquiring = one.acquire(['a', 'b'], { ttl: '30s', wait: '10s' });
    await waits(one);
    const resource = new Resources(namespace('lock')).lock('a');
    // The message is lost.
    const wakes = { channel: 'nobody:', counted: true, text: '1 nobody:' };
    const [revoked] = await revokeScript.run(await server.admin(), { resource, wakes });
    const other = await two.acquire('a');
    await other.release();
    await blocker.release();
    const lease = await acquiring;
    expect(lease.fence).toBeGreaterThan(other.fence);
    const holders = (await two.inspect('a')).holders.map(({ token }) => token);
    expect(holders).toHaveLength(1);
    expect(holders).not.toContain(revoked!.token);
    expect(await lease.release()).toBe('released');
  });

  it('takes all permits of a semaphore, and lets in as many', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    const held = [await one.semaphore('s', 2).acquire(), await one.semaphore('s', 2).acquire()];
    const waiting = [two.semaphore('s', 2).acquire(), two.semaphore('s', 2).acquire()];
    await eventually(() => two.stats().waiting === 2);
    const revoked = await two.forceRelease(two.semaphore('s', 2), { reason });
    expect(revoked.map(({ fence }) => fence).toSorted((a, b) => a - b)).toEqual(
      held.map(({ fence }) => fence),
    );
    for (const next of await Promise.all(waiting)) expect(await next.release()).toBe('released');
  });

  it('takes a read/write lock from its readers, whichever side is passed', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    const readers = [await one.readWrite('r').read.acquire(), await one.readWrite('r').read.acquire()];
    const writing = two.readWrite('r').write.acquire();
    await waits(two);
    expect(await one.forceRelease(one.readWrite('r').write, { reason })).toHaveLength(2);
    for (const reader of readers) expect(reader.lost).toMatchObject({ reason: 'revoked' });
    expect(await (await writing).release()).toBe('released');
  });

  it('writes who did it, to whom and why into the log, in one line, and publishes it', async () => {
    const server = await startServer();
    const holder = await replica(server, 'pod-1');
    const { locks, log } = await openLocks(opened, server.options, { namespace: 'lock', holder: 'pod-2' });
    const events: LockEvents['revoked'][] = [];
    const listen = (event: unknown) => void events.push(event as LockEvents['revoked']);
    subscribe(lockChannel('revoked'), listen);
    const lease = await holder.acquire('a', { ttl: '1m' });
    await locks.forceRelease('a', { reason: 'hangs\nsince 14:00' });
    await locks.forceRelease('free', { reason });
    unsubscribe(lockChannel('revoked'), listen);

    const lines = log.lines.filter(({ text }) => text.includes('by force by'));
    expect(lines.map(({ level, context }) => `${level} ${context}`)).toEqual([
      'warn LockModule',
      'warn LockModule',
    ]);
    expect(lines[0]!.text).toMatch(
      /^'a' was released by force by pod-2:\w+, because "hangs\\nsince 14:00"; held by pod-1:\w+\.\w+ with fence \d+$/,
    );
    expect(lines[0]!.text).toContain(String(lease.fence));
    expect(lines[1]!.text).toMatch(/^'free' was .* because "hangs since 14:00"; held by nobody$/);
    expect(events).toEqual([
      expect.objectContaining({
        namespace: 'lock',
        resource: 'a',
        by: expect.stringMatching(/^pod-2:/),
        reason: 'hangs\nsince 14:00',
        holders: [expect.objectContaining({ holder: 'pod-1', fence: lease.fence })],
      }),
      expect.objectContaining({ resource: 'free', holders: [] }),
    ]);
  });

  it.each([undefined, {}, { reason: '' }, { reason: ' ' }, { reason: 7 }])(
    'wants a reason: not %j',
    async (options) => {
      const locks = await replica(await startServer(), 'one');
      const lease = await locks.acquire('a');
      const releasing = locks.forceRelease('a', options as never);
      await expect(releasing).rejects.toThrow(LockConfigurationError);
      await expect(releasing).rejects.toThrow(/reason.*is not a text with at least one letter/);
      expect(lease.lost).toBeUndefined();
      expect(await lease.release()).toBe('released');
    },
  );

  it('refuses several resources', async () => {
    const locks = await replica(await startServer(), 'one');
    await expect(locks.forceRelease(locks.lock(['a', 'b']), { reason })).rejects.toThrow(
      /is of several resources \('a', 'b'\)/,
    );
  });

  it('says so where Redis cannot be asked', async () => {
    const server = await startServer();
    const locks = await replica(server, 'one', { timeout: '200ms' });
    server.pause();
    await expect(locks.forceRelease('a', { reason })).rejects.toThrow(LockUnavailableError);
    server.resume();
  });

  it('frees a resource where the memory of Redis is full', async () => {
    const server = await startServer();
    const [one, two] = [await replica(server, 'one'), await replica(server, 'two')];
    const lease = await one.acquire('a', { ttl: '1m' });
    await (await server.admin()).config('SET', 'maxmemory', '1');
    expect(await two.forceRelease('a', { reason })).toHaveLength(1);
    expect((await two.inspect('a')).holders).toEqual([]);
    expect(await lease.release()).toBe('lost');
  });

  it('needs no more than the smallest ACL of the guide', async () => {
    const acl = [`app on >guide-secret ${guideAcl()} resetkeys resetchannels ${guideAcl('lock')}`];
    const server = opened.add(await startRedis({ acl }));
    const options = { ...server.options, username: 'app', password: 'guide-secret' };
    const { locks } = await openLocks(opened, options);
    await locks.acquire('a');
    const waiting = locks.acquire('a');
    await waits(locks);
    expect(await locks.inspect('a')).toMatchObject({ holders: [{}], waiters: [{}] });
    expect(await locks.forceRelease('a', { reason })).toHaveLength(1);
    expect(await (await waiting).release()).toBe('released');
    expect(await refusals(server)).toEqual({});
  });

  it('is heard at another node of a Cluster', async () => {
    const cluster = opened.add(await startCluster({ masters: 3, replicas: 0 }));
    const [one, two] = [await replica(cluster, 'one'), await replica(cluster, 'two')];
    for (const name of ['a', 'b', 'c']) {
      const first = await two.acquire(name, { ttl: '1m' });
      const holding = one.acquire(name, { ttl: '1m' });
      await waits(one);
      await first.release();
      const lease = await holding;
      await two.forceRelease(name, { reason });
      expect(await loss(lease)).toBeInstanceOf(LockLostError);
    }
  });
});
