import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  LockCancelledError,
  LockTimeoutError,
  type Lease,
  type LockService,
  type RedisModuleOptions,
} from 'rednest';
import { startCluster, startRedis, startSentinel } from 'rednest/testing';
import { orderOf, standInLine, startLocks, type LockProcess } from './fixtures/cluster-locks.js';

interface Servers {
  readonly options: RedisModuleOptions;
  stop(): Promise<void>;
}

const PLACES: readonly [string, () => Promise<Servers>][] = [
  ['a single server', () => startRedis()],
  ['a single server with mutual TLS', () => startRedis({ tls: { clientAuth: true } })],
  ['Sentinel', () => startSentinel({ replicas: 1 })],
  ['Sentinel with TLS', () => startSentinel({ replicas: 1, tls: true })],
  ['Cluster', () => startCluster({ masters: 3, replicas: 1 })],
  ['Cluster with TLS', () => startCluster({ masters: 3, replicas: 1, tls: true })],
];

describe.each(PLACES)('locks on %s', (_, start) => {
  let servers: Servers;
  let processes: [LockProcess, LockProcess];
  let here: LockService;
  let there: LockService;
  beforeAll(async () => {
    servers = await start();
    processes = [await startLocks(servers.options), await startLocks(servers.options)];
    [here, there] = [processes[0].locks, processes[1].locks];
  }, 30_000);
  afterAll(async () => {
    for (const process of processes) await process[Symbol.asyncDispose]();
    await servers.stop();
  });

  let names = 0;
  const name = (): string => `resource:${++names}`;

  it('are held by one at a time, and their fences rise', async () => {
    const resource = name();
    const fences: number[] = [];
    for (const locks of [here, there, here, there]) {
      const lease = await locks.acquire(resource);
      expect(await here.tryAcquire(resource)).toBeUndefined();
      expect(await there.tryAcquire(resource)).toBeUndefined();
      expect(lease).toMatchObject({ resource, lost: undefined });
      expect(await lease.release()).toBe('released');
      fences.push(lease.fence);
    }
    expect(fences).toEqual([...new Set(fences)].toSorted((one, other) => one - other));
  });

  it('are handed on in the order in which those who wait came, whichever process they are of', async () => {
    const resource = name();
    const first = await here.acquire(resource);
    const line = [];
    for (let index = 0; index < 6; index++)
      line.push(await standInLine(processes[index % 2]!, (locks) => locks.lock(resource)));
    const order = orderOf(line);
    await first.release();
    expect(await order).toEqual([0, 1, 2, 3, 4, 5]);
    const fences = await Promise.all(line.map(({ lease }) => lease.then(({ fence }) => fence)));
    expect([first.fence, ...fences]).toEqual([first.fence, ...fences].toSorted((one, other) => one - other));
    for (const locks of [here, there]) expect(locks.stats()).toMatchObject({ held: 0, waiting: 0 });
  });

  it('are waited for no longer than told, and who has given up is not let in', async () => {
    const resource = name();
    const lease = await here.acquire(resource);
    await expect(there.acquire(resource, { wait: 100 })).rejects.toThrow(LockTimeoutError);
    const abort = new AbortController();
    const cancelled = await standInLine(processes[1], (locks) => locks.lock(resource), {
      signal: abort.signal,
    });
    const next = await standInLine(processes[1], (locks) => locks.lock(resource));
    abort.abort(new Error('enough'));
    await expect(cancelled.lease).rejects.toThrow(LockCancelledError);
    await lease.release();
    await (await next.lease).release();
    await (await here.tryAcquire(resource))!.release();
  });

  it('outlive their ttl as long as they are held, and not without renewals', async () => {
    const [renewed, left] = [name(), name()];
    const lease = await here.acquire(renewed, { ttl: 800 });
    const without = await here.acquire(left, { ttl: 300, renew: false });
    const next = await there.acquire(left, { wait: '5s' });
    expect(next.fence).toBeGreaterThan(without.fence);
    expect(without.lost).toMatchObject({ reason: 'expired' });
    await sleep(700);
    expect(await there.tryAcquire(renewed)).toBeUndefined();
    expect(lease.lost).toBeUndefined();
    expect(await lease.extend('1m')).toBeGreaterThan(50_000);
    expect(await lease.release()).toBe('released');
    await next.release();
  });

  it('of a semaphore are held by as many as there are permits', async () => {
    const resource = name();
    const semaphore = (locks: LockService) => locks.semaphore(resource, 2);
    const [first, second] = [await semaphore(here).acquire(), await semaphore(there).acquire()];
    expect(second.fence).toBeGreaterThan(first.fence);
    expect(await semaphore(there).tryAcquire()).toBeUndefined();
    const line = [await standInLine(processes[1], semaphore), await standInLine(processes[0], semaphore)];
    await first.release();
    const third = await line[0]!.lease;
    expect(await semaphore(here).tryAcquire()).toBeUndefined();
    await second.release();
    const fourth = await line[1]!.lease;
    expect(fourth.fence).toBeGreaterThan(third.fence);
    for (const lease of [third, fourth]) expect(await lease.release()).toBe('released');
  });

  it('of two sides let readers in together, writers alone, and all in the order in which they came', async () => {
    const resource = name();
    const read = (locks: LockService) => locks.readWrite(resource).read;
    const write = (locks: LockService) => locks.readWrite(resource).write;
    const readers = [await read(here).acquire(), await read(there).acquire()];
    expect(await write(there).tryAcquire()).toBeUndefined();
    const writer = await standInLine(processes[0], write);
    // Readers do not pass a writer that waits.
    expect(await read(there).tryAcquire()).toBeUndefined();
    const later = [await standInLine(processes[1], read), await standInLine(processes[0], read)];
    for (const lease of readers) await lease.release();
    const written = await writer.lease;
    expect(await read(here).tryAcquire()).toBeUndefined();
    await written.release();
    const both = await Promise.all(later.map(({ lease }) => lease));
    expect(both[0]!.fence).toBeGreaterThan(written.fence);
    for (const lease of both) expect(await lease.release()).toBe('released');
  });

  it('of several resources are held together or not at all, and nobody waits for who waits for him', async () => {
    const [one, other] = [name(), name()];
    const single = await here.acquire(other);
    expect(await there.tryAcquire([one, other])).toBeUndefined();
    const free = await there.tryAcquire(one);
    expect(free).toBeDefined();
    await free!.release();
    await single.release();
    const held = new Set<Lease>();
    const take = async (locks: LockService, resources: string[]) => {
      for (let round = 0; round < 5; round++) {
        await locks.using(resources, async (lease) => {
          expect(held.size).toBe(0);
          held.add(lease);
          await sleep(1);
          held.delete(lease);
        });
      }
    };
    await Promise.all([take(here, [one, other]), take(there, [other, one])]);
    expect(here.stats().held + there.stats().held).toBe(0);
  });

  it('are released after a routine, and what it gives or throws is passed on', async () => {
    const resource = name();
    const fence = await here.using(resource, async (lease) => {
      expect(here.current()).toBe(lease);
      expect(await there.tryAcquire(resource)).toBeUndefined();
      return lease.fence;
    });
    const failure = new Error('of the routine');
    await expect(there.using(resource, () => Promise.reject(failure))).rejects.toBe(failure);
    const after = await here.tryAcquire(resource);
    expect(after!.fence).toBeGreaterThan(fence);
    await after!.release();
  });
});
