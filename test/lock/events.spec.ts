import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { lockChannel, LockLostError, LockTimeoutError, type LockEvents } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Applications } from './fixtures/model-applications.js';

type Kind = keyof LockEvents;

const KINDS: readonly Kind[] = ['acquired', 'released', 'lost', 'failed', 'revoked', 'elected', 'deposed'];

const applications = new Applications();
const endings: (() => void)[] = [];

afterEach(() => {
  for (const end of endings.splice(0)) end();
});

/** Keeps what is told of, with the kind of each event. */
function listen(...kinds: readonly Kind[]): Record<string, unknown>[] {
  const events: Record<string, unknown>[] = [];
  for (const kind of kinds) {
    const receive = (message: unknown): void => void events.push({ kind, ...(message as object) });
    subscribe(lockChannel(kind), receive);
    endings.push(() => void unsubscribe(lockChannel(kind), receive));
  }
  return events;
}

const identity = { connectionId: expect.any(String), namespace: 'lock' };

describe('events', () => {
  it('tell of what is acquired and released', async () => {
    const locks = await applications.open();
    const events = listen(...KINDS);
    const resource = applications.name();
    const { fence } = await locks.using(resource, (lease) => lease);
    expect(events).toEqual([
      { kind: 'acquired', ...identity, resource, fence, waited: expect.any(Number), queued: false },
      { kind: 'released', ...identity, resource, fence, held: expect.any(Number) },
    ]);
  });

  it('tell of who had to wait, and for how long', async () => {
    const [one, other] = await applications.openMany(2, { namespace: 'app:locks' });
    const events = listen('acquired');
    const resource = applications.name();
    const before = await one!.acquire(resource);
    const waiting = other!.acquire(resource);
    await eventually(() => other!.stats().waiting === 1);
    await before.release();
    const { fence } = await waiting;
    expect(events[1]).toEqual({
      kind: 'acquired',
      connectionId: expect.any(String),
      namespace: 'app:locks',
      resource,
      fence,
      waited: expect.any(Number),
      queued: true,
    });
    expect(events[1]!['connectionId']).not.toBe(events[0]!['connectionId']);
    expect(events[1]!['waited']).toBeGreaterThan(0);
  });

  it('tell of what failed, and why', async () => {
    const locks = await applications.open();
    const events = listen(...KINDS);
    const resource = applications.name();
    await locks.acquire(resource);
    const error = await locks.acquire(resource, { wait: 50 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(events.slice(1)).toEqual([
      { kind: 'failed', ...identity, resource, waited: expect.any(Number), error },
    ]);
    expect(events[1]!['error']).toBe(error);
    // To find it held is what it is for.
    expect(await locks.tryAcquire(resource)).toBeUndefined();
    expect(events).toHaveLength(2);
  });

  it('tell nothing of a call that was wrong', async () => {
    const locks = await applications.open();
    const events = listen(...KINDS);
    const resource = applications.name();
    await expect(locks.acquire(resource, { ttl: 1 })).rejects.toThrow(/ttl/);
    await expect(locks.tryAcquire(resource, { ttl: 1 })).rejects.toThrow(/ttl/);
    await expect(locks.using(resource, undefined as never)).rejects.toThrow(/routine/);
    expect(events).toEqual([]);
  });

  it.each(['acquire', 'tryAcquire'] as const)(
    'tell of a failure where %s cannot ask Redis',
    async (method) => {
      const locks = await applications.open({ timeout: 100, wait: 0 });
      const events = listen('failed');
      const resource = applications.name();
      applications.server.pause();
      try {
        await expect(locks[method](resource)).rejects.toMatchObject({ code: 'LOCK_UNAVAILABLE' });
      } finally {
        applications.server.resume();
      }
      expect(events).toEqual([
        { kind: 'failed', ...identity, resource, waited: expect.any(Number), error: expect.any(Error) },
      ]);
    },
  );

  it('tell once of what is lost, and not that it is released', async () => {
    const locks = await applications.open();
    const resource = applications.name();
    const lease = await locks.acquire(resource, { ttl: '200ms', renew: false });
    const events = listen(...KINDS);
    await eventually(() => events.length > 0);
    expect(lease.lost).toBeInstanceOf(LockLostError);
    expect(await lease.release()).toBe('lost');
    expect(events).toEqual([{ kind: 'lost', ...identity, resource, fence: lease.fence, reason: 'expired' }]);
  });

  it('tell of several resources together', async () => {
    const locks = await applications.open();
    const events = listen(...KINDS);
    const lease = await locks.acquire([applications.name(), applications.name()]);
    await lease.release();
    expect(events.map(({ kind }) => kind)).toEqual(['acquired', 'released']);
    for (const event of events) expect(event['resource']).toBe(lease.resource);
  });

  it('are not even made where nobody listens', async () => {
    const locks = await applications.open();
    const spies = KINDS.map((kind) => jest.spyOn(channel(lockChannel(kind)), 'publish'));
    endings.push(() => spies.forEach((spy) => spy.mockRestore()));
    const resource = applications.name();
    await locks.using(resource, async () => {
      await expect(locks.acquire(resource, { wait: 0 })).rejects.toThrow(LockTimeoutError);
    });
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  });
});

describe('stats', () => {
  it('count what is held and who waits', async () => {
    const locks = await applications.open();
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
    const [a, b] = [applications.name(), applications.name()];
    const lease = await locks.acquire([a, b]);
    expect(locks.stats()).toEqual({ held: 2, waiting: 0 });
    const waiting = [locks.acquire(a), locks.acquire(b)];
    await eventually(() => locks.stats().waiting === 2);
    await lease.release();
    const leases = await Promise.all(waiting);
    expect(locks.stats()).toEqual({ held: 2, waiting: 0 });
    await Promise.all(leases.map((each) => each.release()));
    expect(locks.stats()).toEqual({ held: 0, waiting: 0 });
  });
});
