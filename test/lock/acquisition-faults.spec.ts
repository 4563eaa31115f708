import { createServer, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { LockCancelledError, LockTimeoutError, LockUnavailableError, type RedisModuleOptions } from 'rednest';
import { FaultProxy, startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { openLocks, standInLine, type LockProcess } from './fixtures/cluster-locks.js';

const opened = new Opened();

/** Less than the driver takes to give up on a connection. */
const SOON = 2_000;

interface Setup {
  readonly server: RedisServer;
  /** Holds what the other is to wait for. */
  readonly holder: LockProcess;
}

async function start(): Promise<Setup> {
  const server = opened.add(await startRedis());
  return { server, holder: await openLocks(opened, server.options) };
}

/** Passes on the first connection only. @param answer what the server does with the others */
async function firstOnly(
  { options }: RedisServer,
  answer: (socket: Socket) => void,
): Promise<RedisModuleOptions> {
  const sockets: Socket[] = [];
  const listener = createServer((client) => {
    sockets.push(client.on('error', () => undefined));
    if (sockets.length > 1) return answer(client);
    const upstream = connect({ host: options.host, port: options.port });
    sockets.push(upstream.on('error', () => undefined));
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  opened.add({
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  return { ...options, host: '127.0.0.1', port: (listener.address() as { port: number }).port };
}

async function since(work: Promise<unknown>): Promise<[unknown, number]> {
  const from = performance.now();
  const outcome = await work.catch((error: unknown) => error);
  return [outcome, performance.now() - from];
}

describe('where no push can be had, since the connection for it is silent,', () => {
  async function open(): Promise<Setup & { one: LockProcess }> {
    const setup = await start();
    const one = await openLocks(opened, await firstOnly(setup.server, () => undefined));
    await one.connection.client.ping();
    return { ...setup, one };
  }

  it('the wait ends in time', async () => {
    const { holder, one } = await open();
    await holder.locks.acquire('tour');
    const [error, took] = await since(one.locks.acquire('tour', { wait: '300ms' }));
    expect(error).toBeInstanceOf(LockTimeoutError);
    expect(took).toBeLessThan(SOON);
  });

  it('a resource that is free by then is had', async () => {
    const { holder, one } = await open();
    const held = await holder.locks.acquire('tour');
    const acquiring = one.locks.acquire('tour', { wait: '500ms' });
    await sleep(50);
    await held.release();
    const lease = await acquiring;
    expect(await lease.release()).toBe('released');
  });

  it('one that is free meanwhile is had before the wait is over', async () => {
    const { holder, one } = await open();
    const held = await holder.locks.acquire('tour');
    const acquiring = one.locks.acquire('tour', { wait: '1m' });
    await sleep(50);
    await held.release();
    const lease = await acquiring;
    expect(await lease.release()).toBe('released');
  });

  it('its end by the shutdown is not waited for', async () => {
    const { holder, one } = await open();
    await holder.locks.acquire('tour');
    const acquiring = since(one.locks.acquire('tour', { wait: '1m' }));
    await sleep(100);
    await one[Symbol.asyncDispose]();
    const [error, took] = await acquiring;
    expect(error).toBeInstanceOf(LockCancelledError);
    expect(took).toBeLessThan(SOON);
  });
});

describe('where the connection for pushes is refused', () => {
  it('who waits is told that Redis is unavailable when the wait is over, or that it is held', async () => {
    const { server, holder } = await start();
    const options = await firstOnly(server, (socket) => socket.destroy());
    const one = await openLocks(opened, { ...options, maxRetriesPerRequest: 1 });
    await one.connection.client.ping();
    await holder.locks.acquire('tour');
    const [error, took] = await since(one.locks.acquire('tour', { wait: '1s' }));
    expect([LockUnavailableError, LockTimeoutError]).toContain((error as Error).constructor);
    expect(took).toBeGreaterThan(500);
  });

  it('by a right that is missing, LockUnavailableError says so', async () => {
    const acl = ['app on >secret ~app:* resetchannels +@all'];
    const server = opened.add(await startRedis({ acl }));
    const one = await openLocks(opened, server.options);
    const other = await openLocks(opened, server.options);
    await other.locks.acquire('tour');
    const [error] = await since(one.locks.acquire('tour', { wait: '1s' }));
    expect(error).toBeInstanceOf(LockUnavailableError);
    expect((error as LockUnavailableError).cause.code).toBe('REDIS_PERMISSION');
  });
});

describe('an acquisition that gives up after its request went unanswered', () => {
  it('leaves no lease behind, although it could not give it back at once', async () => {
    const { server, holder } = await start();
    const proxy = opened.add(await FaultProxy.start(server));
    const options = { ttl: '1m', timeout: '300ms' } as const;
    const one = await openLocks(opened, proxy.optionsFor(server.options), options);
    // So that the server knows the scripts.
    await (await one.locks.acquire('tour')).release();
    proxy.swallow('down');
    const acquiring = since(one.locks.acquire('tour', { wait: 0 }));
    const held = async (): Promise<boolean> => (await holder.locks.inspect('tour')).holders.length > 0;
    await eventually(held);
    proxy.swallow('both');
    expect((await acquiring)[0]).toBeInstanceOf(LockUnavailableError);
    await sleep(500);
    expect(await held()).toBe(true);
    proxy.cut();
    await proxy.restore();
    await eventually(async () => !(await held()));
  });

  it('leaves no place in the queue behind, where the wait is over meanwhile', async () => {
    const { server, holder } = await start();
    const proxy = opened.add(await FaultProxy.start(server));
    const one = await openLocks(opened, proxy.optionsFor(server.options), { ttl: '1m' });
    // So that it listens.
    const before = await holder.locks.acquire('bus');
    const line = await standInLine(one, (locks) => locks.lock('bus'));
    await before.release();
    await (await line.lease).release();
    await holder.locks.acquire('tour', { ttl: '1m' });
    proxy.delay(60_000, 'down');
    const wait = 500;
    const until = performance.now() + wait;
    const acquiring = since(one.locks.acquire('tour', { wait }));
    const places = async (): Promise<number> => (await holder.locks.inspect('tour')).waiters.length;
    await eventually(async () => (await places()) === 1);
    // Before it asks again its time is over, since nothing else is done for so long.
    one.connection.client.once('close', () => {
      setImmediate(() =>
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, until - performance.now() + 50),
      );
    });
    proxy.delay(0);
    proxy.cut();
    await acquiring;
    await eventually(async () => (await places()) === 0, 3_000);
  });
});
