import { describe, expect, it } from '@jest/globals';
import { RedisClosedError, type RedisClient, type RedisConnection, RedisUnavailableError } from 'rednest';
import type { RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { refusals, usersByClient } from '../support/server-view.js';
import { startProxied } from './fixtures/proxied-connection.js';
import { rejection } from './fixtures/rejection.js';

const opened = new Opened();

async function start(): Promise<{ server: RedisServer; connection: RedisConnection }> {
  const server = await opened.guarded();
  const { connection } = await opened.connection(server.options);
  return { server, connection };
}

/** What a subscriber hears, as `channel: text`. */
function listen(subscriber: RedisClient): string[] {
  const heard: string[] = [];
  subscriber.on('message', (channel: string, text: string) => heard.push(`${channel}: ${text}`));
  subscriber.on('pmessage', (...[pattern, channel, text]: string[]) =>
    heard.push(`${pattern} ${channel}: ${text}`),
  );
  return heard;
}

/** The channels that are subscribed to, and how many patterns. */
async function subscriptions(server: RedisServer): Promise<unknown[]> {
  const admin = await server.admin();
  const channels = (await admin.pubsub('CHANNELS')) as string[];
  return [...channels.toSorted(), await admin.call('PUBSUB', 'NUMPAT')];
}

async function killClient(server: RedisServer): Promise<void> {
  await (await server.admin()).call('CLIENT', 'KILL', 'TYPE', 'pubsub');
}

describe('the subscriber', () => {
  it('is not connected before it is asked for, and is one connection beside the client', async () => {
    const { server, connection } = await start();
    expect(Object.keys(await usersByClient(server))).toEqual(['rednest:default']);
    const subscriber = connection.subscriber();
    expect(connection.subscriber()).toBe(subscriber);
    expect(subscriber).not.toBe(connection.client);
    await subscriber.subscribe('app:news');
    const names = ['rednest:default', 'rednest:default:subscriber'];
    expect(Object.keys(await usersByClient(server)).toSorted()).toEqual(names);
    expect(await connection.client.set('app:a', '1')).toBe('OK');
  });

  it('hears what is sent to its channels, in order', async () => {
    const { connection } = await start();
    const heard = listen(connection.subscriber());
    await connection.subscriber().subscribe('app:news', 'app:other');
    for (let i = 0; i < 20; i++) await connection.client.publish('app:news', String(i));
    await connection.client.publish('app:elsewhere', 'not for us');
    await connection.client.publish('app:other', 'last');
    const news = Array.from({ length: 20 }, (_, i) => `app:news: ${i}`);
    await eventually(() => expect(heard).toEqual([...news, 'app:other: last']));
  });

  it('hears what is sent to channels of a pattern', async () => {
    const { connection } = await start();
    const heard = listen(connection.subscriber());
    // A user with `&app:*` may subscribe to exactly this pattern.
    await connection.subscriber().psubscribe('app:*');
    await connection.client.publish('app:log:warn', 'careful');
    await eventually(() => expect(heard).toEqual(['app:* app:log:warn: careful']));
  });

  it('may be unsubscribed', async () => {
    const { server, connection } = await start();
    await connection.subscriber().subscribe('app:news', 'app:other');
    await connection.subscriber().unsubscribe('app:news');
    const admin = await server.admin();
    expect(await admin.publish('app:news', 'x')).toBe(0);
    expect(await admin.publish('app:other', 'x')).toBe(1);
  });

  it('is closed with the application', async () => {
    const { server, connection } = await start();
    await connection.subscriber().subscribe('app:news');
    await connection.close();
    expect(await usersByClient(server)).toEqual({});
    const { error, after } = await rejection(connection.subscriber().subscribe('app:more'));
    expect(error).toBeInstanceOf(RedisClosedError);
    expect(after).toBeLessThan(500);
  });
});

describe('after a loss, the subscriber', () => {
  it.each<[string, (server: RedisServer) => Promise<void>]>([
    ['its connection was killed', killClient],
    ['Redis was restarted', async (server) => (await server.kill(), server.restart())],
  ])('hears its channels and patterns again when %s', async (_, lose) => {
    const { server, connection } = await start();
    const subscriber = connection.subscriber();
    const heard = listen(subscriber);
    await subscriber.subscribe('app:one', 'app:two', 'app:dropped');
    await subscriber.psubscribe('app:*');
    await subscriber.unsubscribe('app:dropped');
    await lose(server);
    await eventually(async () => expect(await subscriptions(server)).toEqual(['app:one', 'app:two', 1]));
    await (await server.admin()).publish('app:two', 'again');
    await eventually(() => expect(heard).toEqual(['app:two: again', 'app:* app:two: again']));
  });

  it('is not subscribed to what was unsubscribed meanwhile', async () => {
    const { server, proxy, connection } = await startProxied(opened);
    const subscriber = connection.subscriber();
    await subscriber.subscribe('app:a', 'app:b', 'app:c');
    proxy.refuse();
    proxy.cut();
    await eventually(() => subscriber.status === 'reconnecting');
    const done = Promise.all([subscriber.unsubscribe('app:a', 'app:b'), subscriber.subscribe('app:b')]);
    await proxy.restore();
    await done;
    await eventually(async () => expect(await subscriptions(server)).toEqual(['app:b', 'app:c', 0]));
  });

  it('is subscribed to what was asked for meanwhile', async () => {
    const { server, proxy, connection } = await startProxied(opened);
    const subscriber = connection.subscriber();
    await subscriber.subscribe('app:before');
    proxy.refuse();
    proxy.cut();
    await eventually(() => subscriber.status === 'reconnecting');
    const subscribing = subscriber.subscribe('app:meanwhile');
    await proxy.restore();
    await subscribing;
    await eventually(async () =>
      expect(await subscriptions(server)).toEqual(['app:before', 'app:meanwhile', 0]),
    );
  });

  it('is subscribed again although the connection was lost again before it was', async () => {
    const { server, proxy, connection } = await startProxied(opened);
    const subscriber = connection.subscriber();
    const heard = listen(subscriber);
    await subscriber.subscribe('app:news');
    await subscriber.psubscribe('app:*');
    let losses = 0;
    subscriber.on('ready', () => {
      if (losses++ < 3) proxy.cut();
    });
    proxy.cut();
    await eventually(() => losses === 4);
    await eventually(async () => expect(await subscriptions(server)).toEqual(['app:news', 1]));
    await (await server.admin()).publish('app:news', 'x');
    await eventually(() => expect(heard).toEqual(['app:news: x', 'app:* app:news: x']));
  });

  it('is subscribed again when the server takes it again', async () => {
    const server = await opened.guarded();
    const { connection, log } = await opened.connection(server.options);
    await connection.subscriber().subscribe('app:news');
    const admin = await server.admin();
    await admin.acl('SETUSER', 'app', '-subscribe');
    await killClient(server);
    await eventually(async () => expect((await refusals(server))['command']).toBeGreaterThan(0));
    expect(await subscriptions(server)).toEqual([0]);
    await eventually(() =>
      expect(log.texts()).toContainEqual(expect.stringMatching(/could not subscribe again: NOPERM/)),
    );
    await admin.acl('SETUSER', 'app', '+subscribe');
    await admin.client('KILL', 'USER', 'app');
    await eventually(async () => expect(await subscriptions(server)).toEqual(['app:news', 0]));
  });

  it('says nothing more in the log than the client does', async () => {
    const { proxy, connection, log } = await startProxied(opened);
    await connection.subscriber().subscribe('app:news');
    proxy.cut();
    await eventually(() => connection.state === 'ready' && connection.subscriber().status === 'ready');
    await eventually(() => expect(log.texts()).toHaveLength(2));
    expect(log.texts().join('\n')).not.toContain('subscriber');
  });

  it('rejects a subscription that Redis cannot take in time', async () => {
    const { server, connection } = await start();
    await server.kill();
    const { redisError, after } = await rejection(connection.subscriber().subscribe('app:news'));
    expect(redisError).toBeInstanceOf(RedisUnavailableError);
    expect(after).toBeLessThan(4_000);
  });
});
