import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { RedisAuthError, type RedisConnection, type RedisModuleOptions, retry } from 'rednest';
import { type RedisCluster, type RedisServer, startCluster, startSentinel } from 'rednest/testing';
import { ConnectionRecorder } from '../support/connection-recorder.js';
import { changePassword, killUser, LOGIN, TestProvider } from '../support/credentials-provider.js';
import { eventually } from '../support/eventually.js';
import { sentinelAcl, userLine } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { TEST_COMMANDS } from '../support/redis-application.js';
import { killClients, refusals } from '../support/server-view.js';

const KEYS = ['app:a', 'app:b', 'app:c', 'app:d', 'app:e', 'app:f'];
const acl = [
  userLine(`${TEST_COMMANDS} +spublish +ssubscribe +sunsubscribe`),
  'default on nopass ~* &* +@all',
];
const opened = new Opened();

async function openCluster() {
  const cluster = opened.add(await startCluster({ acl }));
  const provider = new TestProvider(cluster);
  return { cluster, provider, options: { cluster: cluster.options.cluster, credentials: provider.ask } };
}

/** The same Cluster by way of recorders, one in front of each node. */
async function throughRecorders({ nodes }: RedisCluster) {
  const recorders = await Promise.all(nodes.map((node) => ConnectionRecorder.start(node)));
  for (const recorder of recorders) opened.add(recorder);
  const addresses = recorders.map(({ host, port }) => ({ host, port }));
  const natMap = Object.fromEntries(
    nodes.map(({ host, port }, index) => [`${host}:${port}`, addresses[index]!]),
  );
  return { cluster: { nodes: addresses, natMap }, sent: () => recorders.flatMap(({ sent }) => sent) };
}

async function listen(
  connection: RedisConnection,
): Promise<{ heard: string[]; publish: () => Promise<unknown> }> {
  const heard: string[] = [];
  for (const event of ['message', 'smessage'])
    connection.subscriber().on(event, (_: string, text: string) => heard.push(`${event} ${text}`));
  await connection.subscriber().subscribe('app:news');
  await connection.subscriber().ssubscribe('app:shard');
  const publish = async () => {
    await connection.client.publish('app:news', 'hello');
    await connection.client.spublish('app:shard', 'hello');
  };
  return { heard, publish };
}

async function expectAllWork(connection: RedisConnection): Promise<void> {
  for (const key of KEYS) {
    expect(await retry(() => connection.client.set(key, '1'))).toBe('OK');
    expect(await retry(() => connection.withDedicated({ key }, (client) => client.get(key)))).toBe('1');
  }
}

async function refusedLogins(servers: readonly RedisServer[]): Promise<number> {
  const counts = await Promise.all(servers.map(refusals));
  return counts.reduce((sum, { auth = 0 }) => sum + auth, 0);
}

describe('credentials on a Cluster', () => {
  it('are followed when the password changes, by every connection of it, and no other user is ever tried', async () => {
    const { cluster, provider, options } = await openCluster();
    const { sent, ...address } = await throughRecorders(cluster);
    const { connection } = await opened.connection({ ...options, ...address });
    const { heard, publish } = await listen(connection);
    await expectAllWork(connection);
    provider.answer = () => ({ username: 'app', password: 'rotated' });
    await changePassword(cluster.nodes, 'rotated');
    await killUser(cluster.nodes);
    await expectAllWork(connection);
    heard.length = 0;
    await eventually(async () => {
      await publish();
      expect(heard).toEqual(expect.arrayContaining(['message hello', 'smessage hello']));
    });
    expect(await refusedLogins(cluster.nodes)).toBe(0);
    for (const bytes of sent().filter(({ length }) => length > 0)) expect(bytes.toString()).toMatch(LOGIN);
  });

  it("are today's for the first to subscribe, however long ago the Cluster was connected", async () => {
    const { cluster, provider, options } = await openCluster();
    const { connection } = await opened.connection(options);
    await connection.subscriber().get('app:a');
    provider.answer = () => ({ username: 'app', password: 'rotated' });
    await changePassword(cluster.nodes, 'rotated');
    await listen(connection);
    expect(await refusedLogins(cluster.nodes)).toBe(0);
  });

  it('that are refused to a lost listener are tried again with pauses, until they are accepted', async () => {
    const { cluster, options } = await openCluster();
    const { connection } = await opened.connection(options);
    const { heard, publish } = await listen(connection);
    await changePassword(cluster.nodes, 'rotated');
    const killed = await Promise.all(cluster.nodes.map((node) => killClients(node, ':default:subscriber')));
    expect(Math.max(...killed)).toBeGreaterThan(0);
    await sleep(700);
    const refused = await refusedLogins(cluster.nodes);
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(40);
    await changePassword(cluster.nodes, 'guide-secret');
    heard.length = 0;
    await eventually(async () => {
      await publish();
      expect(heard).toEqual(expect.arrayContaining(['message hello', 'smessage hello']));
    });
  });

  it('fail the start with the cause when there are none, and nothing is sent', async () => {
    const { cluster } = await openCluster();
    const { sent, ...address } = await throughRecorders(cluster);
    const credentials = () => Promise.reject(new Error('the vault is sealed'));
    const starting = opened.connection({ ...address, credentials, startupTimeout: 300 });
    await expect(starting).rejects.toThrow(RedisAuthError);
    await expect(starting).rejects.toThrow(
      /is not ready: The credentials callback failed: the vault is sealed/,
    );
    expect(sent()).toEqual([]);
  });

  it('that are static and wrong fail the start at once', async () => {
    const { cluster } = await openCluster();
    const options = { ...cluster.options, password: 'not-the-password' };
    await expect(opened.connection(options)).rejects.toThrow(RedisAuthError);
  });
});

describe('credentials with Sentinels', () => {
  const sentinelAuth = { password: 'of-the-sentinels' };

  async function openGroup() {
    return opened.add(await startSentinel({ acl, sentinelAuth, replicas: 0, sentinels: 1 }));
  }

  it('may be those of a Sentinel user who has what the guide says', async () => {
    const watcher = `watcher on >of-the-watcher ${sentinelAcl()}`;
    const group = opened.add(await startSentinel({ acl, sentinelAuth: { acl: [watcher] }, sentinels: 2 }));
    const { connection } = await opened.connection(group.options);
    await connection.withDedicated((client) => client.get('app:a'));
    await group.failover();
    await eventually(() => connection.client.set('app:a', '1'));
    for (const sentinel of group.sentinels) expect(await refusals(sentinel)).toEqual({});
  });

  it('are followed when the password changes', async () => {
    const group = await openGroup();
    const provider = new TestProvider(group);
    const options = { sentinel: group.options.sentinel, credentials: provider.ask };
    const { connection } = await opened.connection(options);
    await connection.withDedicated((client) => client.get('app:a'));
    provider.answer = () => ({ username: 'app', password: 'rotated' });
    await changePassword(group.servers, 'rotated');
    await killUser(group.servers);
    expect(await retry(() => connection.client.set('app:a', '1'))).toBe('OK');
    expect(await retry(() => connection.withDedicated((client) => client.get('app:a')))).toBe('1');
    expect(await refusedLogins(group.servers)).toBe(0);
  });

  it.each<[string, (options: RedisModuleOptions) => Partial<RedisModuleOptions>]>([
    ['the master', () => ({ password: 'not-the-password' })],
    ['the Sentinels', ({ sentinel }) => ({ sentinel: { ...sentinel!, password: 'not-the-password' } })],
  ])('that %s refuses fail the start at once', async (_, wrong) => {
    const { options } = await openGroup();
    const starting = opened.connection({ ...options, ...wrong(options) } as RedisModuleOptions);
    await expect(starting).rejects.toThrow(RedisAuthError);
    await expect(starting).rejects.toThrow(/is not ready: WRONGPASS/);
  });
});
