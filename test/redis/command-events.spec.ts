import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { COMMAND_CHANNEL, type CommandEvent, type RedisConnection } from 'rednest';
import { startCluster } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startProxied } from './fixtures/proxied-connection.js';

const opened = new Opened();

describe('the channel of commands', () => {
  let events: CommandEvent[];
  const note = (message: unknown): void => {
    events.push(message as CommandEvent);
  };

  beforeEach(() => {
    events = [];
    subscribe(COMMAND_CHANNEL, note);
  });

  afterEach(() => void unsubscribe(COMMAND_CHANNEL, note));

  const of = ({ id }: RedisConnection, command: string): CommandEvent[] =>
    events.filter((event) => event.connectionId === id && event.command === command);

  it('tells of each command once, alone, in a pipeline or in a transaction, and of neither keys nor values', async () => {
    const { connection } = await opened.connection((await opened.emptyServer()).options);
    const { client } = connection;
    await Promise.all([client.set('app:secret-key', 'secret-value'), client.get('app:secret-key')]);
    await client.pipeline().get('app:secret-key').get('app:b').exec();
    await client.multi().incr('app:n').exec();
    const counts = ['set', 'get', 'multi', 'incr', 'exec'].map((name) => of(connection, name).length);
    expect(counts).toEqual([1, 3, 1, 1, 1]);
    const [event] = of(connection, 'set');
    expect(event).toEqual({
      connectionId: connection.id,
      connection: 'default',
      command: 'set',
      took: expect.any(Number),
    });
    expect(event!.took).toBeGreaterThan(0);
    expect(JSON.stringify(events)).not.toMatch('secret');
  });

  it('tells the code of what has failed', async () => {
    const { connection } = await opened.connection((await opened.emptyServer()).options);
    const { client } = connection;
    await client.set('app:text', 'a');
    await expect(client.lpush('app:text', 'b')).rejects.toThrow('WRONGTYPE');
    expect(of(connection, 'lpush')).toMatchObject([{ error: 'REDIS_WRONG_TYPE' }]);
  });

  it('counts the wait for a connection, and tells of a command once though it was queued', async () => {
    const { proxy, connection } = await startProxied(opened);
    await connection.client.ping();
    proxy.refuse();
    proxy.cut();
    await eventually(() => connection.state === 'reconnecting');
    const waiting = connection.client.get('app:a');
    await sleep(60);
    await proxy.restore();
    await waiting;
    const [event, ...others] = of(connection, 'get');
    expect(others).toEqual([]);
    expect(event!.took).toBeGreaterThan(50);
  });

  it('hears nothing of what is sent while nobody listens', async () => {
    const { connection } = await opened.connection((await opened.emptyServer()).options);
    unsubscribe(COMMAND_CHANNEL, note);
    expect(channel(COMMAND_CHANNEL).hasSubscribers).toBe(false);
    await connection.client.get('app:a');
    subscribe(COMMAND_CHANNEL, note);
    await connection.client.get('app:b');
    expect(of(connection, 'get')).toHaveLength(1);
  });

  it('tells of a command of a Cluster once, though it was redirected', async () => {
    const cluster = opened.add(await startCluster({ replicas: 0 }));
    const { connection } = await opened.connection(cluster.options);
    const { client } = connection;
    await client.set('app:a', '1');
    const owner = await cluster.nodeOfKey('app:a');
    const to = (await cluster.masters()).find((master) => master !== owner)!;
    await cluster.migrateSlot({ slot: cluster.slotOfKey('app:a'), to });
    expect(await client.get('app:a')).toBe('1');
    expect(of(connection, 'get')).toHaveLength(1);
    // It was: the slot is at the other one.
    expect(await (await to.admin()).get('app:a')).toBe('1');
  });
});
