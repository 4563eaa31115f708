import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisInspector } from 'rednest/diagnostics';
import { startCluster, startSentinel, type RedisCluster } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { Opened } from '../support/opened.js';
import { startConnection } from '../support/redis-application.js';
import { omissions } from './fixtures/every-report.js';
import { openInspector } from './fixtures/open-inspector.js';

const opened = new Opened();

describe('a Cluster', () => {
  let cluster: RedisCluster;
  let application: Awaited<ReturnType<typeof startConnection>>;
  let inspector: RedisInspector;

  beforeAll(async () => {
    cluster = await startCluster({ config: { 'cluster-require-full-coverage': 'no' } });
    application = await startConnection({ ...cluster.options, shutdownTimeout: '1s' });
    inspector = new RedisInspector(application.connection, { timeout: '1s' });
  });

  afterAll(async () => {
    await application?.app.close();
    await cluster?.stop();
  });

  it('is reported by node, and together', async () => {
    const masters = await cluster.masters();
    const { client } = application.connection;
    for (let i = 0; i < 60; i++) await client.set(`key:${i}`, i);
    const sizes = await Promise.all(masters.map((each) => each.observe((admin) => admin.dbsize())));
    const expected = new Map(masters.map(({ host, port }, i) => [`${host}:${port}`, sizes[i]]));

    const keyspace = await inspector.keyspace();
    expect(keyspace).toMatchObject({ keys: 60, databases: [{ database: 0, keys: 60 }], omitted: [] });
    expect(new Map(keyspace.nodes.map(({ node, keys }) => [node, keys]))).toEqual(expected);

    const stats = await inspector.commandStats({ top: 200 });
    expect(stats.commands?.find(({ command }) => command === 'set')).toMatchObject({ calls: 60 });
    const sets = stats.nodes.map(({ node, commands }) => {
      return [node, commands.find(({ command }) => command === 'set')?.calls] as const;
    });
    expect(new Map(sets)).toEqual(expected);

    const memory = await inspector.memory();
    expect(memory.used).toBe(memory.nodes.reduce((total, { used }) => total + used, 0));
    expect(memory.warnings).toHaveLength(3);
    expect(memory.warnings[0]).toMatch(/^127\.0\.0\.1:\d+: There is no limit/);

    expect(await inspector.server()).toMatchObject({
      mode: 'cluster',
      version: expect.stringMatching(/^\d/),
    });
    expect(await inspector.replication()).toMatchObject({
      role: 'master',
      replicas: [{ state: 'online' }, { state: 'online' }, { state: 'online' }],
    });
    expect((await inspector.latency({ samples: 4 })).roundTrip!.samples).toBe(12);
    expect(await inspector.save({ background: true, wait: '10s' })).toMatchObject({
      state: 'saved',
      nodes: [{ state: 'saved' }, { state: 'saved' }, { state: 'saved' }],
    });
    expect(Object.values(await omissions(inspector)).flat()).toEqual([]);
  });

  it('is reported without the node that is away', async () => {
    const [victim] = await cluster.masters();
    const name = `${victim!.host}:${victim!.port}`;
    victim!.pause();
    const paused = await inspector.keyspace();
    expect(paused.nodes).toHaveLength(2);
    expect(paused.omitted).toMatchObject([{ node: name, reason: 'unreachable', part: 'INFO keyspace' }]);
    expect(paused.keys).toBe(paused.nodes.reduce((total, { keys }) => total + keys, 0));
    victim!.resume();
    await victim!.kill();
    const killed = await inspector.memory();
    expect(killed.omitted.filter(({ node }) => node !== name)).toEqual([]);
    expect(killed.nodes.length).toBeGreaterThanOrEqual(2);
    await cluster.waitForFailover();
    await eventually(async () => {
      const { nodes, omitted } = await inspector.memory();
      expect(nodes).toHaveLength(3);
      expect(omitted).toEqual([]);
    }, 15_000);
  });
});

describe('Sentinels and replicas', () => {
  it('show the master with its replicas, and a replica with its link', async () => {
    const group = opened.add(await startSentinel({ replicas: 1 }));
    const { inspector } = await openInspector(opened, group.options);
    await (await group.admin()).set('a', 1);
    const replica = group.servers.find((server) => server !== group.servers[0])!;
    await eventually(async () => {
      expect(await inspector.replication()).toMatchObject({
        role: 'master',
        replicas: [{ replica: `127.0.0.1:${replica.port}`, state: 'online', behind: 0 }],
      });
    });
    const { inspector: replicaInspector } = await openInspector(opened, { ...replica.options, name: 'copy' });
    const report = await replicaInspector.replication();
    expect(report).toMatchObject({
      role: 'replica',
      link: { state: 'up', syncing: false, behind: 0, lastHeard: expect.any(Number) },
      replicas: [],
      nodes: [{ node: 'copy' }],
    });
    expect(await replicaInspector.keyspace()).toMatchObject({ keys: 1 });
    group.servers[0]!.pause();
    await eventually(async () => (await replicaInspector.replication()).link?.lastHeard !== 0, 10_000);
    group.servers[0]!.resume();
  });
});
