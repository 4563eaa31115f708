import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { RedisClosedError, RedisConnectionLostError, RedisUnavailableError } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { dedicatedClients, killDedicatedClients } from './fixtures/dedicated-clients.js';
import { hold, nextClient, startPool } from './fixtures/pool.js';
import { startProxied } from './fixtures/proxied-connection.js';
import { rejection } from './fixtures/rejection.js';

const opened = new Opened();

const random = (limit: number) => Math.floor(Math.random() * limit);

describe('a signal', () => {
  it('that is aborted already opens no connection', async () => {
    const { server, connection } = await startPool(opened, { size: 1 });
    const reason = new Error('too late');
    let called = false;
    const taking = connection.withDedicated(
      { signal: AbortSignal.abort(reason) },
      async () => (called = true),
    );
    await expect(taking).rejects.toBe(reason);
    expect(called).toBe(false);
    expect(await dedicatedClients(server)).toEqual([]);
  });

  it('ends the waiting', async () => {
    const { connection } = await startPool(opened, { size: 1 });
    const holder = await hold(connection);
    const abort = new AbortController();
    const waiting = connection.withDedicated({ signal: abort.signal }, async () => 'never');
    const behind = nextClient(connection);
    abort.abort(new Error('no longer wanted'));
    await expect(waiting).rejects.toBe(abort.signal.reason);
    await holder.release();
    expect(await behind).toBe(holder.client);
  });

  it('ends a blocking command, and takes nothing from the list afterwards', async () => {
    const { server, connection } = await startPool(opened, { size: 1 });
    const abort = new AbortController();
    const blocked = connection.withDedicated({ signal: abort.signal }, (client) =>
      client.blpop('app:list', 0),
    );
    await eventually(async () => (await dedicatedClients(server)).length === 1);
    await sleep(20);
    abort.abort(new Error('shutting down'));
    await expect(blocked).rejects.toBe(abort.signal.reason);
    await eventually(async () => (await dedicatedClients(server)).length === 0);
    expect(await connection.client.lpush('app:list', 'kept')).toBe(1);
    expect(await connection.withDedicated((client) => client.lpop('app:list'))).toBe('kept');
  });

  it("masks neither the taker's own error nor its result", async () => {
    const { connection } = await startPool(opened, { size: 1 });
    const abort = new AbortController();
    const own = new Error('of the taker');
    const failing = connection.withDedicated({ signal: abort.signal }, async () => {
      abort.abort();
      throw own;
    });
    await expect(failing).rejects.toBe(own);
    const second = new AbortController();
    const succeeding = connection.withDedicated({ signal: second.signal }, async () => {
      second.abort();
      return 'done';
    });
    expect(await succeeding).toBe('done');
  });
});

describe('shutdown', () => {
  it('refuses takers, those that wait included, and lets the one that holds a connection finish', async () => {
    const { connection } = await startPool(opened, { size: 1 });
    const written = connection.withDedicated(async (client) => {
      await sleep(200);
      await connection.client.set('app:b', '1');
      return client.set('app:a', '1');
    });
    const waiting = nextClient(connection);
    await eventually(() => connection.poolStats.waiting === 1);
    const closing = connection.close();
    const { error, after } = await rejection(waiting);
    expect(error).toBeInstanceOf(RedisClosedError);
    expect(after).toBeLessThan(150);
    await expect(nextClient(connection)).rejects.toThrow(RedisClosedError);
    expect(await written).toBe('OK');
    await closing;
  });

  it('ends in time when a taker never lets go', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection({ ...server.options, shutdownTimeout: 200 });
    void connection.withDedicated(() => new Promise(() => {}));
    await eventually(() => connection.poolStats.used === 1);
    const start = performance.now();
    await connection.close();
    expect(performance.now() - start).toBeLessThan(1_200);
    await eventually(async () => (await dedicatedClients(server)).length === 0);
  });
});

describe('Redis away', () => {
  it('is told to all takers at once, not after the time to acquire', async () => {
    const { server, connection } = await startPool(opened, { size: 2 });
    await Promise.all([nextClient(connection), nextClient(connection)]);
    await server.kill();
    await eventually(() => connection.state === 'reconnecting');
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => rejection(nextClient(connection))));
    for (const { error, after } of outcomes) {
      expect(error).toBeInstanceOf(RedisUnavailableError);
      expect(after).toBeLessThan(2_000);
    }
    await server.restart();
    expect(await connection.withDedicated((client) => client.set('app:a', '1'))).toBe('OK');
  });

  it('that does not answer is told as unavailable, and leaves no connections behind', async () => {
    const { proxy, connection } = await startProxied(opened, { pool: { size: 2, acquireTimeout: 200 } });
    proxy.swallow('down');
    for (let i = 0; i < 4; i++) {
      const { error, after } = await rejection(nextClient(connection));
      expect(error).toBeInstanceOf(RedisUnavailableError);
      expect(after).toBeLessThan(1_200);
    }
    // The shared connection and, at most, the pool's.
    await eventually(() => expect(proxy.connections).toBeLessThanOrEqual(3));
    await proxy.restore();
    proxy.cut();
    await eventually(() => connection.withDedicated((client) => client.set('app:a', '1')));
  });

  it('that vanishes holds a command no longer than stallTimeout, and one that blocks for as long as it says', async () => {
    const { proxy, connection } = await startProxied(opened, { stallTimeout: 300 });
    const blocked = connection.withDedicated((client) => client.blpop('app:never', 1));
    expect(await blocked).toBeNull();
    const vanishing = connection.withDedicated(async (client) => {
      await client.get('app:a');
      proxy.swallow('both');
      return client.get('app:a');
    });
    const { error, after } = await rejection(vanishing);
    expect(error).toBeInstanceOf(RedisConnectionLostError);
    expect(after).toBeLessThan(2_000);
  });

  it('after any mix of faults, the pool has all its connections to give and holds none too many', async () => {
    const { server, connection } = await startPool(opened, { size: 3, acquireTimeout: '2s' });
    const takers = Array.from({ length: 60 }, async (_, number) => {
      await sleep(random(300));
      const abort = new AbortController();
      if (number % 4 === 0) setTimeout(() => abort.abort(), random(50));
      return connection.withDedicated({ signal: abort.signal }, async (client) => {
        if (number % 3 === 0) await client.multi({ pipeline: false });
        if (number % 5 === 0) throw new Error('of the taker');
        if (number % 7 === 0) await killDedicatedClients(server);
        return number % 11 === 0 ? client.blpop('app:never', 0.05) : client.get('app:a');
      });
    });
    await Promise.allSettled(takers);
    await eventually(() => connection.poolStats.used === 0);
    // Until it is noticed that idle connections were killed.
    await sleep(50);
    const holders = await Promise.all([hold(connection), hold(connection), hold(connection)]);
    expect(await dedicatedClients(server)).toHaveLength(3);
    expect(connection.poolStats).toEqual({ used: 3, free: 0, waiting: 0 });
    await Promise.all(holders.map(({ release }) => release()));
  });
});
