import { describe, expect, it } from '@jest/globals';
import {
  hashSlot,
  RedisClosedError,
  RedisUnavailableError,
  toRedisError,
  type RedisConnection,
} from 'rednest';
import { startCluster, type RedisServer } from 'rednest/testing';
import { TestProvider, killUser } from '../support/credentials-provider.js';
import { eventually } from '../support/eventually.js';
import { userLine } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { TEST_COMMANDS } from '../support/redis-application.js';
import { killClients } from '../support/server-view.js';
import { MasterRecorder } from './fixtures/master-recorder.js';

const opened = new Opened();

const addressOf = ({ host, port }: RedisServer) => `${host}:${port}`;

async function listeners(server: RedisServer): Promise<string[]> {
  const list = String(await (await server.admin()).client('LIST')).split('\n');
  return list.filter((line) => line.includes(':listener '));
}

function watch(connection: RedisConnection) {
  const recorder = new MasterRecorder();
  return { recorder, stop: connection.watchMasters(recorder) };
}

describe('a listener', () => {
  it.each([
    ['plaintext', false],
    ['TLS', true],
  ])(
    'is a RESP2 connection of its own to the server, %s, under the name and user of the connection',
    async (_, tls) => {
      const server = await opened.guarded({ tls });
      const { connection } = await opened.connection(server.options);
      const { recorder } = watch(connection);
      await eventually(() => recorder.ready);
      expect(recorder.nodes).toEqual(['']);
      expect(await listeners(server)).toEqual([
        expect.stringMatching(/name=rednest:\S*:listener .*user=app .*resp=2/),
      ]);
      expect(recorder.changes).toBe(0);
    },
  );

  it('comes back for ever, subscribed to nothing, and its commands fail at once while it is away', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection(server.options);
    const { recorder } = watch(connection);
    const client = recorder.listeners.get('')!;
    await eventually(() => recorder.ready);
    await client.subscribe('app:news');
    expect(await killClients(server, ':listener')).toBe(1);
    await eventually(() => client.status === 'reconnecting');
    const error: unknown = await client.ping().catch((reason: unknown) => reason);
    expect(toRedisError(error)).toBeInstanceOf(RedisUnavailableError);
    await eventually(() => client.status === 'ready');
    expect(await listeners(server)).toEqual([expect.stringMatching(/ sub=0 /)]);

    await server.kill();
    await eventually(() => client.status === 'reconnecting');
    await server.restart();
    await eventually(() => client.status === 'ready');
  });

  it('logs in with what the credentials callback gives, at each connect', async () => {
    const server = await opened.guarded();
    const provider = new TestProvider(server);
    const { host, port } = server.options;
    const { connection } = await opened.connection({ host, port, credentials: provider.ask });
    const { recorder } = watch(connection);
    await eventually(() => recorder.ready);
    const asked = provider.asked;
    await killUser([server]);
    await eventually(() => provider.asked > asked);
    await eventually(async () => (await listeners(server)).some((line) => line.includes('user=app')));
  });

  it('ends with its watch, and with the connection', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection(server.options);
    const first = watch(connection);
    const second = watch(connection);
    await eventually(() => first.recorder.ready && second.recorder.ready);
    await first.stop.stop();
    await eventually(async () => (await listeners(server)).length === 1);
    expect(first.recorder.removals).toEqual(['']);
    await connection.close();
    expect(await listeners(server)).toEqual([]);
    expect(second.recorder.removals).toEqual(['']);
    await first.stop.stop();
    await second.stop.stop();
    expect(second.recorder.removals).toEqual(['']);
    expect(() => connection.watchMasters(new MasterRecorder())).toThrow(RedisClosedError);
  });

  it.each<[string, (server: RedisServer) => unknown]>([
    ['does not answer', (server) => server.pause()],
    ['is not there', (server) => server.kill()],
  ])('can be stopped while the server %s', async (_, fault) => {
    const server = await opened.guarded();
    const { connection } = await opened.connection({ ...server.options, shutdownTimeout: 500 });
    const { recorder, stop } = watch(connection);
    await eventually(() => recorder.ready);
    const client = recorder.listeners.get('')!;
    await fault(server);
    await stop.stop();
    expect(client.status).toBe('end');
    if (server.state === 'paused') server.resume();
  });
});

describe('masters', () => {
  it('where there is no Cluster: one, which owns every slot', async () => {
    const server = await opened.guarded();
    const { connection } = await opened.connection(server.options);
    expect(connection.masters()).toEqual([connection.client]);
    expect([0, 16_383].map((slot) => connection.masterOf(slot))).toEqual(['', '']);
  });

  it('the slot of a key is that of its hash tag', () => {
    expect(hashSlot('123456789')).toBe(0x31c3);
    expect(hashSlot('app:{123456789}:a')).toBe(0x31c3);
    expect(hashSlot(Buffer.from('123456789'))).toBe(0x31c3);
  });

  it('of a Cluster: each that owns slots is listened to and known, as it changes', async () => {
    // A master that loses its last slot would else become a replica by itself.
    const config = { 'cluster-allow-replica-migration': 'no' };
    const cluster = opened.add(
      await startCluster({ masters: 3, replicas: 0, acl: [userLine(TEST_COMMANDS)], config }),
    );
    const { connection } = await opened.connection(cluster.options);
    const { recorder, stop } = watch(connection);
    await eventually(() => recorder.ready && recorder.listeners.size === 3);
    const [first, second, third] = cluster.nodes as [RedisServer, RedisServer, RedisServer];
    expect(recorder.nodes).toEqual(cluster.nodes.map(addressOf).toSorted());
    for (const slot of [0, 8_000, 16_383]) {
      const owner = [first, second, third][Math.floor((slot * 3) / 16_384)]!;
      expect(connection.masterOf(slot)).toBe(addressOf(owner));
    }
    expect(await sizes(connection)).toEqual([0, 0, 0]);
    await connection.client.set('app:a', '1');
    expect((await sizes(connection)).toSorted((a, b) => a - b)).toEqual([0, 0, 1]);

    // All slots of the third go to the second.
    const changes = recorder.changes;
    const range = [10_922, 16_383] as const;
    await (await third.admin()).call('CLUSTER', 'DELSLOTSRANGE', ...range);
    await (await second.admin()).call('CLUSTER', 'DELSLOTSRANGE', ...range);
    await (await second.admin()).call('CLUSTER', 'ADDSLOTSRANGE', ...range);
    await (await second.admin()).call('CLUSTER', 'BUMPEPOCH');
    await cluster.waitForFailover();
    // No command has met a redirection: it learns of it because it is told to look.
    stop.refresh();
    await eventually(() => recorder.removals.length === 1);
    const key = keyBetween(range);
    await connection.client.set(key, '1');
    expect(recorder.removals).toEqual([addressOf(third)]);
    expect(recorder.changes).toBeGreaterThan(changes);
    expect(connection.masterOf(16_383)).toBe(addressOf(second));
    expect(connection.masters()).toHaveLength(2);
    expect(await listeners(third)).toEqual([]);

    // It is led to by ASK before it owns a slot: whoever follows must hear of what is written there.
    const slot = hashSlot(key);
    const [from, to] = await Promise.all([idOf(second), idOf(third)]);
    await (await third.admin()).call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from);
    await (await second.admin()).call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to);
    await connection.client.get(`app:{${key}}:absent`);
    await eventually(() => recorder.listeners.has(addressOf(third)) && recorder.ready);

    await stop.stop();
    for (const node of cluster.nodes) expect(await listeners(node)).toEqual([]);

    // Rather no answer than one without a master.
    await second.kill();
    await eventually(() => {
      try {
        connection.masters();
        return false;
      } catch (error) {
        expect(error).toBeInstanceOf(RedisUnavailableError);
        return true;
      }
    });
  }, 45_000);

  it('of a Cluster: an ACL without ASKING fails the redirected command, and nothing else', async () => {
    const acl = [`${userLine(TEST_COMMANDS)} -asking`];
    const cluster = opened.add(await startCluster({ masters: 2, replicas: 0, acl }));
    const { connection } = await opened.connection(cluster.options);
    const [from, to] = (await cluster.masters()) as [RedisServer, RedisServer];
    const slot = hashSlot('app:absent');
    const target = (await cluster.nodeOfKey('app:absent')) === from ? to : from;
    await cluster.beginSlotMigration({ slot, to: target });
    const error: unknown = await connection.client.get('app:absent').catch((reason: unknown) => reason);
    expect(toRedisError(error)).toMatchObject({ code: 'REDIS_CLUSTER' });
    expect(await connection.client.set('app:{other}:a', '1')).toBe('OK');
  }, 30_000);

  it('of a Cluster that was never reached are not known', async () => {
    const server = await opened.guarded();
    const { host, port } = server.options;
    await server.kill();
    const { connection } = await opened.connection({
      cluster: { nodes: [{ host, port }] },
      startup: 'optional',
      shutdownTimeout: 200,
    });
    const { recorder, stop } = watch(connection);
    expect(() => connection.masters()).toThrow(RedisUnavailableError);
    expect(connection.masterOf(0)).toBeUndefined();
    expect(recorder.listeners.size).toBe(0);
    await stop.stop();
  });
});

async function sizes(connection: RedisConnection): Promise<number[]> {
  const counts = connection.masters().map(async (master) => (await master.scan(0, 'COUNT', 1_000))[1].length);
  return Promise.all(counts);
}

function keyBetween([first, last]: readonly [number, number]): string {
  for (let index = 0; ; index++) {
    const slot = hashSlot(`app:${index}`);
    if (slot >= first && slot <= last) return `app:${index}`;
  }
}

async function idOf(server: RedisServer): Promise<string> {
  return String(await (await server.admin()).call('CLUSTER', 'MYID'));
}
