import { describe, expect, it } from '@jest/globals';
import { LockCancelledError, type Lease } from 'rednest';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { openLocks, standInLine, type LockProcess } from './fixtures/cluster-locks.js';

const opened = new Opened();

/** More than there are steps between a reply and its lease. */
const STEPS = 30;

async function start(): Promise<[LockProcess, LockProcess, RedisServer]> {
  const server = opened.add(await startRedis());
  return [await openLocks(opened, server.options), await openLocks(opened, server.options), server];
}

async function steps(count: number): Promise<void> {
  for (let step = 0; step < count; step++) await Promise.resolve();
}

/** Either it is cancelled, and nothing is held; or a lease is had. */
async function settle(acquiring: Promise<Lease>, { locks }: LockProcess): Promise<void> {
  const outcome = await acquiring.catch((error: unknown) => error);
  if (outcome instanceof LockCancelledError) return;
  expect(locks.stats().held).toBe(1);
  expect(await (outcome as Lease).release()).toBe('released');
}

describe('an acquisition that is cancelled while its reply is taken in', () => {
  it('either has the lock, or leaves nothing behind', async () => {
    const [one, other] = await start();
    const { client } = one.connection;
    await client.ping();
    for (let count = 0; count < STEPS; count++) {
      const controller = new AbortController();
      void client.get('app:flag');
      const acquiring = one.locks.acquire(`tour:${count}`, { signal: controller.signal, ttl: '1m' });
      // Its reply comes with that of the lock, and is read right after it.
      void client.get('app:flag').then(async () => {
        await steps(count);
        controller.abort();
      });
      await settle(acquiring, one);
      await eventually(() => one.locks.stats().held === 0);
      await eventually(async () => (await other.locks.inspect(`tour:${count}`)).holders.length === 0);
    }
  });

  it('by who was let in just before leaves nothing behind', async () => {
    const [one, other] = await start();
    for (let count = 0; count < STEPS; count++) {
      const first = await other.locks.acquire('first');
      const second = await other.locks.acquire('second');
      const controller = new AbortController();
      const waits = await standInLine(one, (locks) => locks.lock('first'));
      const called = await standInLine(one, (locks) => locks.lock('second'), {
        signal: controller.signal,
        ttl: '1m',
      });
      void waits.lease.then(async () => {
        await steps(count);
        controller.abort();
      });
      await Promise.all([first.release(), second.release()]);
      await (await waits.lease).release();
      await called.lease.then(
        (lease) => lease.release(),
        () => undefined,
      );
      await eventually(() => one.locks.stats().held === 0);
      await eventually(async () => (await other.locks.inspect('second')).holders.length === 0);
    }
  });
});
