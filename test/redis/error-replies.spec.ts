import { describe, expect, it } from '@jest/globals';
import { type RedisClient, type RedisErrorCode, toRedisError } from 'rednest';
import type { RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startGuardedRedis } from '../support/redis-application.js';
import { rejection } from './fixtures/rejection.js';
import { startLoadable, startLoading } from './fixtures/slow-loading.js';

const opened = new Opened();

async function start(
  config: Record<string, string> = {},
): Promise<{ server: RedisServer; client: RedisClient }> {
  const server = opened.add(await startGuardedRedis({ config }));
  const { connection } = await opened.connection(server.options);
  return { server, client: connection.client };
}

type Arrange = (server: RedisServer, client: RedisClient) => Promise<unknown>;

interface Reply {
  code: RedisErrorCode;
  retryable: boolean;
  /** Makes the server refuse. */
  arrange?: Arrange;
  send: (client: RedisClient) => Promise<unknown>;
}

const config =
  (name: string, value: string): Arrange =>
  async (server) =>
    (await server.admin()).config('SET', name, value);

const set = (client: RedisClient) => client.set('app:n', '1');
const pushed: Arrange = (_, client) => client.rpush('app:list', 'a');

const READONLY_IN_SCRIPT =
  "ERR Error running script (call to f_0): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.";

const REPLIES: Record<string, Reply> = {
  WRONGTYPE: {
    code: 'REDIS_WRONG_TYPE',
    retryable: false,
    arrange: pushed,
    send: (client) => client.get('app:list'),
  },
  'NOPERM (command)': { code: 'REDIS_PERMISSION', retryable: false, send: (client) => client.flushall() },
  'NOPERM (key)': { code: 'REDIS_PERMISSION', retryable: false, send: (client) => client.get('foreign:key') },
  'NOPERM (channel)': {
    code: 'REDIS_PERMISSION',
    retryable: false,
    send: (client) => client.publish('foreign', 'x'),
  },
  OOM: { code: 'REDIS_OUT_OF_MEMORY', retryable: false, arrange: config('maxmemory', '1'), send: set },
  NOREPLICAS: {
    code: 'REDIS_READ_ONLY',
    retryable: true,
    arrange: config('min-replicas-to-write', '1'),
    send: set,
  },
  NOSCRIPT: { code: 'REDIS_SCRIPT', retryable: false, send: (client) => client.evalsha('f'.repeat(40), 0) },
  'READONLY (in a script, as Redis 6.2 says it)': {
    code: 'REDIS_READ_ONLY',
    retryable: true,
    send: (client) => client.eval(`return redis.error_reply(ARGV[1])`, 0, READONLY_IN_SCRIPT),
  },
  'a script that fails': {
    code: 'REDIS_SCRIPT',
    retryable: false,
    send: (client) => client.eval("return redis.call('NOPE')", 0),
  },
  'a script that does not compile': {
    code: 'REDIS_SCRIPT',
    retryable: false,
    send: (client) => client.eval('%', 0),
  },
  'wrong arguments': { code: 'REDIS_COMMAND', retryable: false, send: (client) => client.call('GET') },
  'no number': {
    code: 'REDIS_COMMAND',
    retryable: false,
    arrange: (_, client) => client.set('app:n', 'text'),
    send: (client) => client.incr('app:n'),
  },
};

describe('toRedisError', () => {
  it.each(Object.entries(REPLIES))('knows %s', async (_, { code, retryable, arrange, send }) => {
    const { server, client } = await start();
    await arrange?.(server, client);
    const { error, redisError } = await rejection(send(client));
    expect(redisError).toMatchObject({ code, retryable, cause: error, message: (error as Error).message });
    expect(toRedisError(redisError)).toBe(redisError);
  });

  it('knows why a transaction was not executed', async () => {
    const { server, client } = await start();
    const foreign = await rejection(client.multi().set('app:n', '1').set('foreign:key', '1').exec());
    expect(foreign.error).toMatchObject({ message: expect.stringMatching(/^EXECABORT/) });
    expect(foreign.redisError).toMatchObject({ code: 'REDIS_PERMISSION', cause: foreign.error });
    expect(foreign.redisError?.message).toMatch(/^NOPERM/);
    const admin = await server.admin();
    await admin.config('SET', 'maxmemory', '1');
    const full = await rejection(client.multi().set('app:n', '1').exec());
    expect(full.redisError).toMatchObject({ code: 'REDIS_OUT_OF_MEMORY', cause: full.error });
  });

  it('knows BUSY, and a script that was killed', async () => {
    const { server, client } = await start({ 'lua-time-limit': '10' });
    const admin = await server.admin();
    const endless = rejection(client.eval('while true do end', 0));
    // Not the shared client, whose commands wait behind the script.
    const busy = await eventually(async () => {
      const { redisError } = await rejection(admin.get('app:n'));
      return redisError ?? false;
    });
    expect(busy).toMatchObject({ code: 'REDIS_UNAVAILABLE', retryable: true });
    await admin.script('KILL');
    expect((await endless).redisError).toMatchObject({ code: 'REDIS_SCRIPT' });
  });

  it('knows LOADING', async () => {
    const server = await startLoadable(opened);
    const { connection } = await opened.connection(server.options);
    await startLoading(server, 1);
    const { redisError } = await eventually(async () => {
      const outcome = await rejection(connection.client.get('app:n'));
      return outcome.redisError ? outcome : false;
    });
    expect(redisError).toMatchObject({ code: 'REDIS_UNAVAILABLE', retryable: true });
    expect(redisError?.message).toMatch(/^LOADING/);
  });

  it('knows UNBLOCKED', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection(server.options);
    const blocked = rejection(connection.withDedicated((client) => client.blpop('app:never', 0)));
    const admin = await server.admin();
    await eventually(async () => {
      const id = /id=(\d+) .*cmd=blpop/.exec(String(await admin.client('LIST')))?.[1];
      return id !== undefined && (await admin.client('UNBLOCK', id, 'ERROR')) === 1;
    });
    expect((await blocked).redisError).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
  });

  it('knows a server that takes no more clients', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection(server.options);
    await (await server.admin()).config('SET', 'maxclients', '2');
    const { error } = await rejection(connection.withDedicated((client) => client.get('app:a')));
    expect(error).toMatchObject({
      code: 'REDIS_UNAVAILABLE',
      retryable: true,
    });
  });

  it('knows what a node of a Cluster answers', async () => {
    const { server, client } = await start({ 'cluster-enabled': 'yes' });
    const unserved = await rejection(client.get('app:a'));
    expect(unserved.redisError).toMatchObject({ code: 'REDIS_CLUSTER', retryable: true });
    await (await server.admin()).call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await eventually(() => client.get('app:a').then(() => true));
    const { redisError } = await rejection(client.mget('app:a', 'app:b'));
    expect(redisError).toMatchObject({ code: 'REDIS_COMMAND', retryable: false });
    expect(redisError?.message).toMatch(/^CROSSSLOT/);
  });

  it('leaves alone what does not come from Redis', () => {
    for (const error of [
      new Error('of the application'),
      new TypeError('x'),
      'text',
      undefined,
      null,
      { code: 'X' },
    ])
      expect(toRedisError(error)).toBeUndefined();
  });
});
