import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { RedisConnectionLostError, RedisUnavailableError } from 'rednest';
import { FaultProxy } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { ConnectionEvents } from './fixtures/connection-events.js';
import { startProxied } from './fixtures/proxied-connection.js';
import { rejection, tally } from './fixtures/rejection.js';
import { startLoadable, startLoading } from './fixtures/slow-loading.js';

// A promise that nobody handles, and an exception that nobody catches, fail the test in which they occur: Jest sees to it.

const opened = new Opened();

/** A server that has been killed, so that nothing listens on its port. */
async function deadServer() {
  const server = await opened.guarded();
  await server.kill();
  return server;
}

describe('Redis restarted', () => {
  it('is used again, with one line when it is lost and one when it is back', async () => {
    const events = opened.add(new ConnectionEvents());
    const server = await opened.guarded();
    const { connection, log, app } = await opened.connection(server.options);
    const { client } = connection;
    await client.set('app:a', '1');
    let attempts = 0;
    client.on('connecting', () => attempts++);
    await server.kill();
    await eventually(() => attempts >= 3);
    expect(connection.state).toBe('reconnecting');
    expect(connection.error).toBeInstanceOf(RedisUnavailableError);
    await server.restart();
    await eventually(() => connection.state === 'ready');
    expect(connection.error).toBeUndefined();
    expect(await client.incr('app:a')).toBe(1);
    expect(log.texts()).toEqual([
      expect.stringMatching(/^Redis connection 'default' is lost, trying again: /),
      expect.stringMatching(/^Redis connection 'default' is back after \d+ ms$/),
    ]);
    await app.close();
    expect(connection.state).toBe('closed');
    expect(events.of(connection.id)).toEqual([
      'idle > connecting',
      'connecting > ready',
      'ready > reconnecting',
      'reconnecting > ready',
      'ready > closing',
      'closing > closed',
    ]);
    const lost = events.all.find(({ state }) => state === 'reconnecting');
    expect(lost).toMatchObject({
      connection: 'default',
      role: 'client',
      error: { code: 'REDIS_UNAVAILABLE' },
    });
  });

  it('fails each command that is sent meanwhile within 4 s', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection(server.options);
    const { client } = connection;
    await server.kill();
    // Until the pauses between attempts are at their longest, and those that wait have just been told.
    for (let round = 0; round < 2; round++) await rejection(client.incr('app:n'));
    const first = client.incr('app:n');
    const others = Array.from({ length: 10 }, async (_, number) => {
      await sleep(number * 50);
      return client.incr('app:n');
    });
    const { slowest, rejected } = await tally([first, ...others]);
    expect(rejected).toEqual({ REDIS_UNAVAILABLE: 11 });
    expect(slowest).toBeLessThan(4_000);
  });
});

describe('Redis paused for 5 s', () => {
  it('answers afterwards all that was asked, once', async () => {
    const server = await opened.guarded();
    const { connection, log } = await opened.connection(server.options);
    const { client } = connection;
    const dedicated = connection.withDedicated(async (own) => {
      server.pause();
      return own.incr('app:n');
    });
    await eventually(() => server.state === 'paused');
    const commands = [
      ...Array.from({ length: 100 }, () => client.incr('app:n')),
      client.pipeline().incr('app:n').incr('app:n').exec(),
      client.multi().incr('app:n').incr('app:n').exec(),
      dedicated,
    ];
    const answers = Promise.all(commands);
    await sleep(5_000);
    server.resume();
    expect(await answers).toHaveLength(103);
    expect(await client.get('app:n')).toBe('105');
    expect(log.texts()).toEqual([]);
  });
});

describe('Redis absent at boot', () => {
  it("fails a 'required' start at its deadline, with the cause", async () => {
    const server = await deadServer();
    const { error, after } = await rejection(opened.connection({ ...server.options, startupTimeout: 400 }));
    expect(error).toBeInstanceOf(RedisUnavailableError);
    expect((error as Error).message).toMatch(/^Redis connection 'default' is not ready: .*ECONNREFUSED/);
    expect(after).toBeGreaterThan(390);
    expect(after).toBeLessThan(2_000);
  });

  it("is waited for by a 'required' start", async () => {
    const server = await deadServer();
    const starting = opened.connection(server.options);
    await sleep(200);
    await server.restart();
    const { connection } = await starting;
    expect(connection.state).toBe('ready');
  });

  it("does not hinder an 'optional' start, is told once, and is used when it comes", async () => {
    const server = await deadServer();
    const started = performance.now();
    const { connection, log } = await opened.connection({ ...server.options, startup: 'optional' });
    expect(performance.now() - started).toBeLessThan(1_000);
    const { redisError } = await rejection(connection.client.get('app:a'));
    expect(redisError).toBeInstanceOf(RedisUnavailableError);
    await server.restart();
    await eventually(() => connection.state === 'ready');
    expect(await connection.client.set('app:a', '1')).toBe('OK');
    expect(log.texts()).toEqual([
      expect.stringMatching(/cannot be made, trying again: .*ECONNREFUSED/),
      expect.stringMatching(/is back after \d+ ms$/),
    ]);
  });

  it('is told once more when the reason becomes another', async () => {
    const server = await deadServer();
    const options = { ...server.options, password: 'not yet the password', startup: 'optional' } as const;
    const { connection, log } = await opened.connection(options);
    await eventually(() => connection.error !== undefined);
    await server.restart();
    await eventually(() => connection.error?.code === 'REDIS_AUTH');
    await sleep(300);
    await (await server.admin()).acl('SETUSER', 'app', `>${options.password}`);
    await eventually(() => connection.state === 'ready');
    expect(log.texts()).toEqual([
      expect.stringMatching(/cannot be made, trying again: .*ECONNREFUSED/),
      expect.stringMatching(/cannot be made, trying again: WRONGPASS/),
      expect.stringMatching(/is back after \d+ ms$/),
    ]);
  });
});

describe('a black hole', () => {
  it('rejects what is under way after stallTimeout, and what comes then after a few attempts', async () => {
    const { proxy, connection } = await startProxied(opened, { stallTimeout: 300 });
    proxy.swallow('both');
    const sent = await rejection(connection.client.incr('app:n'));
    expect(sent.error).toBeInstanceOf(RedisConnectionLostError);
    expect(sent.after).toBeLessThan(1_500);
    const unsent = await rejection(connection.client.incr('app:n'));
    expect(unsent.redisError).toBeInstanceOf(RedisUnavailableError);
    expect(unsent.after).toBeLessThan(4_000);
    await proxy.restore();
    proxy.cut();
    await eventually(() => connection.state === 'ready');
    expect(await connection.client.incr('app:n')).toBe(1);
  });

  it('at connect holds commands for no longer than a few times connectTimeout', async () => {
    const { proxy, connection } = await startProxied(opened, { connectTimeout: 300 });
    proxy.swallow('both');
    proxy.cut();
    await eventually(() => connection.state === 'reconnecting');
    const { redisError, after } = await rejection(connection.client.incr('app:n'));
    expect(redisError).toBeInstanceOf(RedisUnavailableError);
    expect(after).toBeLessThan(4_000);
  });

  it("at boot fails a 'required' start at its deadline", async () => {
    const server = await opened.guarded();
    server.pause();
    const { error, after } = await rejection(opened.connection({ ...server.options, startupTimeout: 300 }));
    expect(error).toBeInstanceOf(RedisUnavailableError);
    expect((error as Error).message).toMatch(/is not ready: no answer/);
    expect(after).toBeLessThan(2_500);
  });

  it('is bounded by commandTimeout, and late replies go to the right commands', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection({ ...server.options, commandTimeout: 150 });
    const { client } = connection;
    await client.mset('app:a', 'a', 'app:b', 'b');
    server.pause();
    const { rejected, slowest } = await tally([client.get('app:a'), client.get('app:b')]);
    expect(rejected).toEqual({ REDIS_TIMEOUT: 2 });
    expect(slowest).toBeLessThan(1_500);
    server.resume();
    expect(await client.get('app:b')).toBe('b');
    expect(await client.get('app:a')).toBe('a');
  });
});

describe('Redis that loads its data set', () => {
  it('holds a command no longer than one that is away, and is used soon after', async () => {
    const server = await startLoadable(opened);
    const proxy = opened.add(await FaultProxy.start(server));
    const options = { ...proxy.optionsFor(server.options), reconnect: { maxDelay: 300 } };
    const { connection } = await opened.connection(options);
    const { loaded } = await startLoading(server, 4);
    await eventually(async () => (await rejection(connection.client.get('app:n'))).error !== undefined);
    proxy.cut();
    await eventually(() => connection.state === 'reconnecting');
    const { redisError, after } = await rejection(connection.client.get('app:n'));
    expect(redisError).toBeInstanceOf(RedisUnavailableError);
    expect(after).toBeLessThan(3_000);
    await loaded;
    await eventually(() => connection.state === 'ready', 3_000);
  });

  it('is waited for by a start, and no longer than it takes', async () => {
    const server = await startLoadable(opened);
    const { loaded } = await startLoading(server, 1);
    const starting = opened.connection(server.options);
    await loaded;
    const start = performance.now();
    await starting;
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
