import { describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { RedisClosedError, type RedisModuleOptions, toRedisError } from 'rednest';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { usersByClient } from '../support/server-view.js';

const opened = new Opened();

async function start(options: Partial<RedisModuleOptions> = {}) {
  const server = await opened.guarded();
  const started = await opened.connection({ ...server.options, ...options } as RedisModuleOptions);
  const client = started.connection.clientFor('queues') as Redis;
  await eventually(() => client.status === 'ready');
  return { ...started, server, client };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    (error: unknown) => toRedisError(error)?.code,
  );

describe('the client for a library', () => {
  it('is one for each library, is called after it, and is closed with the connection', async () => {
    const { app, connection, server, client } = await start({ name: 'jobs' });
    expect(connection.clientFor('queues')).toBe(client);
    expect(client.options.maxRetriesPerRequest).toBeNull();
    expect(Object.keys(await usersByClient(server)).toSorted()).toEqual([
      'rednest:jobs',
      'rednest:jobs:queues',
    ]);
    await app.close();
    expect(await usersByClient(server)).toEqual({});
    expect(() => connection.clientFor('queues')).not.toThrow();
    expect(() => connection.clientFor('others')).toThrow(RedisClosedError);
    for (const name of ['', 'my queues', 'subscriber'])
      expect(() => connection.clientFor(name)).toThrow(`'${name}'`);
  });

  it('waits for Redis whatever the limits of the connection, and sends again what was not answered', async () => {
    const { server, client } = await start({ commandTimeout: 50, maxRetriesPerRequest: 0 });
    server.pause();
    const unanswered = client.incr('app:a');
    await eventually(() => client.stream.bytesWritten > 0);
    await server.kill();
    const unsent = client.incr('app:a');
    await server.restart();
    expect(await Promise.all([unanswered, unsent])).toEqual([1, 2]);
  });

  it('lets its copies block for longer than a connection may be silent', async () => {
    const { client } = await start({ stallTimeout: 100, commandTimeout: 50 });
    const copy = client.duplicate({ connectionName: 'copy' });
    expect(await copy.bzpopmin('app:empty', 0.4)).toBeNull();
    expect(copy.status).toBe('ready');
  });

  it('settles what is pending when the application closes while Redis is away, in copies too', async () => {
    const { app, server, client } = await start({ shutdownTimeout: 200 });
    const copy = client.duplicate();
    copy.on('error', () => {});
    await eventually(() => copy.status === 'ready');
    server.pause();
    const outcomes = [codeOf(client.incr('app:a')), codeOf(copy.bzpopmin('app:b', 0))];
    await server.kill();
    await eventually(() => client.status === 'reconnecting');
    outcomes.push(codeOf(client.incr('app:a')));
    await app.close();
    expect(await Promise.all(outcomes)).toEqual([
      'REDIS_CONNECTION_LOST',
      'REDIS_CONNECTION_LOST',
      'REDIS_CLOSED',
    ]);
    expect([client.status, copy.status]).toEqual(['end', 'end']);
  });
});
