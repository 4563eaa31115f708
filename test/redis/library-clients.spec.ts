import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import {
  hashSlot,
  InjectRedisConnection,
  RedisClosedError,
  RedisConnection,
  RedisModule,
  type RedisModuleOptions,
  toRedisError,
} from 'rednest';
import { startCluster } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startApplication } from '../support/redis-application.js';
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

  it('does not connect again when it is closed, and is not copied', async () => {
    const { app, client, server } = await start();
    const copy = client.duplicate();
    await eventually(() => copy.status === 'ready');
    await app.close();
    await expect(copy.connect()).rejects.toThrow(RedisClosedError);
    await expect(client.connect()).rejects.toThrow(RedisClosedError);
    expect(() => client.duplicate()).toThrow(RedisClosedError);
    expect(await usersByClient(server)).toEqual({});
  });
});

describe('while the application shuts down, the client for a library', () => {
  it('ends when a command was not answered for the shutdown timeout', async () => {
    const { connection, server, client } = await start({ shutdownTimeout: 200 });
    server.pause();
    const outcome = codeOf(client.incr('app:a'));
    connection.drain();
    expect(await outcome).toBe('REDIS_UNAVAILABLE');
    expect(client.status).toBe('end');
    server.resume();
  });

  it('keeps nobody waiting who closes a library in the first hook of the shutdown', async () => {
    const server = await opened.server({});
    let closing: Promise<string | undefined> | undefined;
    @Injectable()
    class Library implements OnModuleDestroy {
      readonly client: Redis;

      constructor(@InjectRedisConnection() connection: RedisConnection) {
        this.client = connection.clientFor('queues') as Redis;
      }

      async onModuleDestroy(): Promise<void> {
        closing = codeOf(this.client.incr('app:a'));
        await closing;
      }
    }
    const redis = RedisModule.forRoot({ ...server.options, shutdownTimeout: 200 });
    const { app } = await startApplication([redis], [Library]);
    await server.kill();
    await app.close();
    expect(await closing).toMatch(/^REDIS_(?:CLOSED|UNAVAILABLE)$/);
  });

  it('connects again when Redis is back in time, however long the library takes to close', async () => {
    const { connection, server, client } = await start({ shutdownTimeout: 200 });
    const copy = client.duplicate();
    connection.drain();
    expect(await copy.bzpopmin('app:empty', 0.4)).toBeNull();
    await (await server.admin()).call('client', 'kill', 'type', 'normal');
    await eventually(() => client.status !== 'ready');
    const counted = await Promise.all([client.incr('app:a'), copy.incr('app:a')]);
    expect(counted.toSorted()).toEqual([1, 2]);
  });

  it('ends when a node of a Cluster is away, and its copies when they are told to', async () => {
    const cluster = opened.add(await startCluster({ masters: 3, replicas: 0 }));
    const options = { ...cluster.options, shutdownTimeout: 200 } as RedisModuleOptions;
    const { connection } = await opened.connection(options);
    const client = connection.clientFor('queues') as Cluster;
    const copy = client.duplicate();
    await eventually(() => client.status === 'ready' && copy.status === 'ready');

    // One reply of this copy tells of another node when all are closed already, and one node closes late.
    const nodes = copy.nodes();
    await Promise.all(nodes.map((node) => node.ping()));
    const owner = await cluster.nodeOfKey('app:a');
    const [other, silent] = cluster.nodes.filter((node) => node !== owner);
    const { slots } = copy as unknown as { slots: string[][] };
    slots[hashSlot('app:a')] = [`127.0.0.1:${other!.port}`];
    silent!.pause();
    const redirected = codeOf(copy.incr('app:a'));
    copy.disconnect();
    expect(await redirected).toBe('REDIS_UNAVAILABLE');
    await eventually(() => nodes.every((node) => node.status === 'end'));
    expect([copy.status, copy.nodes()]).toEqual(['end', []]);
    silent!.resume();

    await owner.kill();
    const outcome = codeOf(client.incr('app:a'));
    connection.drain();
    expect(await outcome).toBe('REDIS_UNAVAILABLE');
    expect(client.status).toBe('end');
  });
});
