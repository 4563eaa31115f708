import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { RedisReadOnlyError, RedisUnavailableError } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startProxied } from './fixtures/proxied-connection.js';
import { rejection, tally } from './fixtures/rejection.js';

const opened = new Opened();

describe('a server that has become a replica', () => {
  it('refuses writes as RedisReadOnlyError, is not stormed, and is written to when it is master again', async () => {
    const { server, proxy, connection } = await startProxied(opened);
    const admin = await server.admin();
    await admin.replicaof('127.0.0.1', 1);
    const accepted = proxy.accepted;
    const writes: Promise<unknown>[] = [];
    for (let i = 0; i < 60; i++) {
      writes.push(connection.client.incr('app:n'));
      await sleep(25);
    }
    const { resolved, rejected } = await tally(writes);
    expect({ resolved, rejected }).toEqual({ resolved: 0, rejected: { REDIS_READ_ONLY: 60 } });
    expect(proxy.accepted - accepted).toBeGreaterThan(0);
    expect(proxy.accepted - accepted).toBeLessThanOrEqual(4);
    await admin.replicaof('NO', 'ONE');
    await eventually(() => connection.client.incr('app:n'));
    expect(await admin.get('app:n')).toBe('1');
  });

  it('is left for the new one by dedicated connections too', async () => {
    const { server, proxy, connection } = await startProxied(opened);
    const admin = await server.admin();
    const write = () => connection.withDedicated((client) => client.incr('app:n'));
    expect(await write()).toBe(1);
    // Until it is back in the pool, the next taker would be given another.
    await eventually(() => connection.poolStats.free === 1);
    // It counts as free while it is asked whether it is clean.
    await eventually(async () => /cmd=unwatch/.test(String(await admin.client('LIST'))));
    await sleep(100);
    await admin.replicaof('127.0.0.1', 1);
    const accepted = proxy.accepted;
    const { redisError } = await rejection(write());
    expect(redisError).toBeInstanceOf(RedisReadOnlyError);
    await admin.replicaof('NO', 'ONE');
    expect(await write()).toBe(2);
    expect(proxy.accepted).toBe(accepted + 1);
  });
});

describe('something that is not Redis', () => {
  it.each([
    ['answers in another protocol', 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'],
    ['answers noise', Buffer.from(Array.from({ length: 64 }, (_, i) => (i * 151 + 7) % 256))],
    ['answers nothing and hangs up', ''],
  ])('and %s fails clearly', async (_, answer) => {
    const listener = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => (answer.length === 0 ? socket.end() : socket.write(answer)));
    });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    opened.add({ [Symbol.asyncDispose]: async () => void (await once(listener.close(), 'close')) });
    const { port } = listener.address() as AddressInfo;
    const options = { host: '127.0.0.1', port, startup: 'optional' } as const;
    const { connection } = await opened.connection(options);
    const { redisError, after } = await rejection(connection.client.get('app:a'));
    expect(redisError).toBeInstanceOf(RedisUnavailableError);
    expect(after).toBeLessThan(4_000);
    const taking = rejection(connection.withDedicated((client) => client.get('app:a')));
    expect((await taking).error).toBeInstanceOf(RedisUnavailableError);
    const required = { ...options, name: 'other', startup: 'required', startupTimeout: 300 } as const;
    await expect(opened.connection(required)).rejects.toThrow(RedisUnavailableError);
  });
});
