import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import {
  RedisConflictError,
  type RedisConnection,
  RedisConnectionLostError,
  RedisOutOfMemoryError,
  RedisPermissionError,
  RedisUnavailableError,
  RedisWrongTypeError,
} from 'rednest';
import type { RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { killDedicatedClients } from './fixtures/dedicated-clients.js';
import { startProxied } from './fixtures/proxied-connection.js';
import { rejection, tally } from './fixtures/rejection.js';

const opened = new Opened();

async function start(): Promise<{ server: RedisServer; connection: RedisConnection }> {
  const server = await opened.guarded();
  const { connection } = await opened.connection({ ...server.options, pool: { size: 1 } });
  return { server, connection };
}

/** How often the server has executed a command. */
async function calls(server: RedisServer, command: string): Promise<number> {
  const stats = await (await server.admin()).info('commandstats');
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

describe('an optimistic transaction', () => {
  it('writes what was queued, and gives what the function returned', async () => {
    const { connection } = await start();
    await connection.client.set('app:stock', '3');
    const left = await connection.optimistic(['app:stock'], async (client, multi) => {
      const stock = Number(await client.get('app:stock'));
      multi.decr('app:stock').rpush('app:sold', 'one');
      return stock - 1;
    });
    expect(left).toBe(2);
    expect(await connection.client.get('app:stock')).toBe('2');
    expect(await connection.client.lrange('app:sold', 0, -1)).toEqual(['one']);
  });

  it('runs the function again when somebody else has written a watched key', async () => {
    const { connection } = await start();
    await connection.client.set('app:n', '1');
    const seen: (string | null)[] = [];
    await connection.optimistic(['app:n', 'app:other'], async (client, multi) => {
      const value = await client.get('app:n');
      seen.push(value);
      if (seen.length === 1) await connection.client.set('app:n', '10');
      if (seen.length === 2) await connection.client.set('app:other', 'changed too');
      multi.set('app:n', Number(value) + 1);
    });
    expect(seen).toEqual(['1', '10', '10']);
    expect(await connection.client.get('app:n')).toBe('11');
  });

  it('gives up after so many conflicts, and has written nothing', async () => {
    const { connection } = await start();
    let runs = 0;
    const giving = connection.optimistic(
      ['app:n'],
      async (_, multi) => {
        multi.set('app:written', '1');
        await connection.client.set('app:n', ++runs);
      },
      { attempts: 3 },
    );
    const { error } = await rejection(giving);
    expect(error).toBeInstanceOf(RedisConflictError);
    expect(error).toMatchObject({ code: 'REDIS_CONFLICT', retryable: true });
    expect(runs).toBe(3);
    expect(await connection.client.exists('app:written')).toBe(0);
  });

  it('passes on what the function throws, writes nothing, and leaves the connection clean', async () => {
    const { connection } = await start();
    const own = new Error('insufficient funds');
    let first: Redis | undefined;
    const failing = connection.optimistic(['app:n'], (client, multi) => {
      first = client;
      multi.set('app:n', 'never');
      throw own;
    });
    await expect(failing).rejects.toBe(own);
    expect(await connection.client.set('app:n', 'changed')).toBe('OK');
    await connection.withDedicated(async (client) => {
      expect(client).toBe(first);
      expect(await client.multi().append('app:n', '!').exec()).toEqual([[null, 8]]);
    });
    expect(await connection.client.get('app:n')).toBe('changed!');
  });

  it('sends no EXEC when nothing was queued', async () => {
    const { server, connection } = await start();
    await connection.client.set('app:n', '7');
    expect(await connection.optimistic(['app:n'], (client) => client.get('app:n'))).toBe('7');
    expect(await calls(server, 'watch')).toBe(1);
    expect(await calls(server, 'multi')).toBe(0);
    expect(await calls(server, 'exec')).toBe(0);
  });

  it('needs a key to watch', async () => {
    const { connection } = await start();
    await expect(connection.optimistic([], () => undefined)).rejects.toThrow(TypeError);
  });

  it('keeps the sum under concurrent transfers', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection(server.options);
    const accounts = ['app:a', 'app:b', 'app:c', 'app:d'];
    await connection.client.mset(...accounts.flatMap((account) => [account, 100]));
    const transfer = (number: number) => {
      const [from, to] = [accounts[number % 4]!, accounts[(number * 7 + 1) % 4]!];
      return connection.optimistic([from, to], async (client, multi) => {
        const [balance] = await client.mget(from, to);
        multi.set(from, Number(balance) - number).incrby(to, number);
      });
    };
    const { resolved, rejected } = await tally(Array.from({ length: 50 }, (_, number) => transfer(number)));
    const balances = (await connection.client.mget(...accounts)).map(Number);
    expect(balances.reduce((sum, balance) => sum + balance)).toBe(400);
    expect(resolved + (rejected['REDIS_CONFLICT'] ?? 0)).toBe(50);
    expect(resolved).toBeGreaterThan(40);
    expect(balances).not.toEqual([100, 100, 100, 100]);
  });
});

describe('a transaction that Redis refuses', () => {
  it('throws what a command in EXEC failed with', async () => {
    const { connection } = await start();
    await connection.client.rpush('app:list', 'a');
    const failing = connection.optimistic(['app:n'], (_, multi) => {
      multi.set('app:n', '1').incr('app:list');
    });
    await expect(failing).rejects.toThrow(RedisWrongTypeError);
  });

  it('throws what a read failed with, classified', async () => {
    const { connection } = await start();
    await connection.client.rpush('app:list', 'a');
    const failing = connection.optimistic(['app:list'], (client) => client.get('app:list'));
    await expect(failing).rejects.toThrow(RedisWrongTypeError);
  });

  it('throws why a command was not queued, and writes nothing', async () => {
    const { server, connection } = await start();
    const foreign = connection.optimistic(['app:n'], (_, multi) => {
      multi.set('app:n', '1').set('foreign:key', '1');
    });
    await expect(foreign).rejects.toThrow(RedisPermissionError);
    const admin = await server.admin();
    await admin.config('SET', 'maxmemory', '1');
    const full = connection.optimistic(['app:n'], (_, multi) => {
      multi.set('app:n', '1');
    });
    await expect(full).rejects.toThrow(RedisOutOfMemoryError);
    await admin.config('SET', 'maxmemory', '0');
    expect(await connection.client.exists('app:n')).toBe(0);
  });
});

describe('a connection lost', () => {
  it.each([
    ['and noticed', (client: Redis) => eventually(() => client.status === 'end')],
    ['and not noticed yet', async () => undefined],
  ])('between WATCH and EXEC %s executes nothing', async (_, notice) => {
    const { server, connection } = await start();
    await connection.client.set('app:n', '1');
    let runs = 0;
    const losing = connection.optimistic(['app:n'], async (client, multi) => {
      runs++;
      await client.get('app:n');
      await connection.client.set('app:n', 'of another');
      expect(await killDedicatedClients(server)).toBe(1);
      await notice(client);
      multi.set('app:n', 'unguarded');
    });
    const { error } = await rejection(losing);
    expect([RedisUnavailableError, RedisConnectionLostError]).toContain((error as Error).constructor);
    expect(runs).toBe(1);
    expect(await connection.client.get('app:n')).toBe('of another');
    await connection.optimistic(['app:n'], (_client, multi) => void multi.set('app:n', 'guarded'));
    expect(await connection.client.get('app:n')).toBe('guarded');
  });

  it('before the reply of EXEC is told, and the transaction is not done again', async () => {
    const { server, proxy, connection } = await startProxied(opened);
    const admin = await server.admin();
    let runs = 0;
    const losing = connection.optimistic(['app:n'], async (client, multi) => {
      runs++;
      await client.get('app:n');
      multi.incr('app:n');
      proxy.swallow('down');
    });
    await eventually(async () => (await admin.get('app:n')) === '1');
    proxy.cut();
    await expect(losing).rejects.toThrow(RedisConnectionLostError);
    await proxy.restore();
    await eventually(() => connection.client.ping());
    expect(runs).toBe(1);
    expect(await admin.get('app:n')).toBe('1');
  });
});
