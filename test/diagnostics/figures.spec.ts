import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisInspector } from 'rednest/diagnostics';
import { startRedis, type RedisServer } from 'rednest/testing';
import { eventually } from '../support/eventually.js';
import { startConnection } from '../support/redis-application.js';
import { omissions } from './fixtures/every-report.js';

// One server for all: each test looks at what it has done itself.
let server: RedisServer;
let application: Awaited<ReturnType<typeof startConnection>>;
let inspector: RedisInspector;

beforeAll(async () => {
  server = await startRedis({ config: { maxmemory: '200mb', 'maxmemory-policy': 'allkeys-lru' } });
  application = await startConnection({ ...server.options, shutdownTimeout: '1s' });
  inspector = new RedisInspector(application.connection);
});

afterAll(async () => {
  await application?.app.close();
  await server?.stop();
});

const MB = 1_024 * 1_024;

describe('RedisInspector', () => {
  it('leaves nothing out where all may be asked', async () => {
    const names = ['memory', 'keyspace', 'commandStats', 'slowLog', 'clients', 'server', 'persistence'];
    const nothing = Object.fromEntries(
      [...names, 'save', 'replication', 'latency'].map((name) => [name, []]),
    );
    expect(await omissions(inspector)).toEqual(nothing);
    await eventually(async () => !(await inspector.persistence()).rdb?.saving);
  });

  it('memory: grows by what is written', async () => {
    const before = await inspector.memory();
    // Nothing of that size is sent: it would be counted as the client's, too.
    await (await server.admin()).setrange('large', 20 * MB, 'x');
    const after = await inspector.memory();
    const growth = after.used! - before.used!;
    expect(growth).toBeGreaterThan(20 * MB);
    expect(growth).toBeLessThan(26 * MB);
    expect(after).toMatchObject({ limit: 200 * MB, policy: 'allkeys-lru', evicted: 0, warnings: [] });
    expect(after.ratio).toBeCloseTo(after.used! / (200 * MB));
    expect(after.peak).toBeGreaterThanOrEqual(after.used!);
    expect(after.resident).toBeGreaterThan(MB);
    expect(after.fragmentation).toBeCloseTo(after.resident! / after.used!);
    expect(after.nodes).toEqual([expect.objectContaining({ node: 'default', used: after.used })]);
    await (await server.admin()).del('large');
  });

  it('memory: counts what was evicted, and warns', async () => {
    const admin = await server.admin();
    const { used } = await inspector.memory();
    await admin.config('SET', 'maxmemory', String(used! + 2 * MB));
    for (let i = 0; i < 40; i++) await admin.setrange(`filler:${i}`, 100_000, 'x');
    const full = await inspector.memory();
    expect(full.evicted).toBeGreaterThan(10);
    expect(full.ratio).toBeGreaterThan(0.95);
    expect(full.warnings).toEqual([expect.stringMatching(/keys are evicted to make room \(allkeys-lru\)/)]);
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    expect((await inspector.memory()).warnings).toEqual([expect.stringMatching(/nothing may be evicted/)]);
    // Nothing expires, so nothing can be evicted.
    await admin.config('SET', 'maxmemory-policy', 'volatile-lru');
    const stuck = await inspector.memory();
    expect(stuck).toMatchObject({ canEvict: false, omitted: [] });
    expect(stuck.warnings).toEqual([expect.stringMatching(/nothing may be evicted \(volatile-lru, and/)]);
    await admin.config('SET', 'maxmemory', '0');
    // With a limit it would be evicted at once.
    await admin.expire('filler:39', 1_000);
    expect(await inspector.memory()).toMatchObject({ canEvict: true });
    expect(await inspector.memory()).toMatchObject({
      limit: undefined,
      ratio: undefined,
      warnings: [expect.stringMatching(/no limit/)],
    });
    await admin.config('SET', 'maxmemory', '200mb', 'maxmemory-policy', 'allkeys-lru');
    await admin.flushall();
  });

  it('keyspace: keys by database', async () => {
    const admin = await server.admin();
    await admin.mset('a', 1, 'b', 2, 'c', 3);
    await admin.set('d', 4, 'EX', 1_000);
    await admin.multi().select(3).set('e', 5).select(0).exec();
    const { nodes, ...report } = await inspector.keyspace();
    expect(report).toEqual({
      keys: 5,
      databases: [
        { database: 0, keys: 4, expiring: 1, averageTtl: expect.any(Number) },
        { database: 3, keys: 1, expiring: 0, averageTtl: 0 },
      ],
      omitted: [],
    });
    expect(nodes).toHaveLength(1);
    await admin.flushall();
    expect(await inspector.keyspace()).toMatchObject({ keys: 0, databases: [] });
  });

  it('commandStats: counts the calls, by calls and by time', async () => {
    const admin = await server.admin();
    await admin.config('RESETSTAT');
    for (let i = 0; i < 30; i++) await admin.incr('n');
    for (let i = 0; i < 7; i++) await admin.get('n');
    await admin.lpush('n', 'x').catch(() => undefined);
    await admin.eval('for i = 1, 300000 do end', 0);
    const byCalls = await inspector.commandStats({ top: 2, by: 'calls' });
    expect(byCalls.commands?.map(({ command, calls }) => [command, calls])).toEqual([
      ['incr', 30],
      ['get', 7],
    ]);
    expect(byCalls.nodes[0]?.commands).toHaveLength(2);
    const byTime = await inspector.commandStats();
    expect(byTime.commands?.[0]).toMatchObject({ command: 'eval', calls: 1 });
    expect(byTime.commands?.find(({ command }) => command === 'lpush')).toMatchObject({
      calls: 1,
      failed: 1,
    });
    expect(byTime.commands?.find(({ command }) => command === 'config|resetstat')).toBeDefined();
    expect(byTime.calls).toBeGreaterThanOrEqual(40);
    const [incr] = byCalls.commands!;
    expect(incr!.average).toBeCloseTo(incr!.time / 30);
    expect(byTime.time).toBeGreaterThan(byTime.commands![0]!.time);
  });

  it('slowLog: the latest first, without arguments unless asked for', async () => {
    const admin = await server.admin();
    await admin.config('SET', 'slowlog-log-slower-than', '0');
    await admin.set('card', 'secret-4111');
    await admin.get('card');
    await admin.config('SET', 'slowlog-log-slower-than', '-1');
    const { commands } = await inspector.slowLog({ count: 3 });
    expect(commands.map(({ command }) => command)).toEqual(['get', 'set', 'config']);
    expect(JSON.stringify(commands)).not.toContain('4111');
    const [, set] = (await inspector.slowLog({ count: 3, arguments: true })).commands;
    expect(set).toMatchObject({ node: 'default', command: 'set', arguments: ['card', 'secret-4111'] });
    expect(set!.took).toBeLessThan(1_000);
    expect(Math.abs(set!.at.getTime() - Date.now())).toBeLessThan(60_000);
    await admin.slowlog('RESET');
    expect((await inspector.slowLog()).commands).toEqual([]);
  });

  it('clients: by name, with those that block', async () => {
    const { connection } = application;
    const blocking = connection.withDedicated((client) => client.blpop('nothing', 0));
    await eventually(async () => (await inspector.clients()).blocked === 1);
    const { connected, byName, limit, rejected } = await inspector.clients();
    expect(byName?.reduce((total, { connections }) => total + connections, 0)).toBe(connected);
    expect(byName?.filter(({ name }) => name.endsWith(':dedicated'))).toEqual([
      { name: expect.any(String), connections: 1, idleMost: expect.any(Number) },
    ]);
    expect(limit).toBeGreaterThan(100);
    expect(rejected).toBe(0);
    expect(JSON.stringify(byName)).not.toContain('127.0.0.1');
    await (await server.admin()).lpush('nothing', 'something');
    await blocking;
  });

  it('server: which it is, and how much went through', async () => {
    const before = await inspector.server();
    await (await server.admin()).set('large', 'x'.repeat(5 * MB));
    await (await server.admin()).get('large');
    const after = await inspector.server();
    expect(after).toMatchObject({ mode: 'standalone', flavour: expect.stringMatching(/^(redis|valkey)$/) });
    expect(after.version).toMatch(/^\d+\.\d+/);
    expect(after.received! - before.received!).toBeGreaterThan(5 * MB);
    expect(after.sent! - before.sent!).toBeGreaterThan(5 * MB);
    expect(after.uptime).toBeGreaterThanOrEqual(before.uptime!);
  });

  it('persistence and save: writes a snapshot, one at a time', async () => {
    const admin = await server.admin();
    await admin.set('a', 1);
    expect((await inspector.persistence()).rdb).toMatchObject({ enabled: false, saving: false });
    await admin.config('SET', 'save', '3600 1');
    expect(await inspector.persistence()).toMatchObject({
      loading: false,
      rdb: { enabled: true, changes: expect.any(Number), lastStatus: 'ok' },
      aof: { enabled: false, rewriting: false, lastWriteStatus: 'ok', lastRewriteStatus: 'ok' },
    });
    const before = await admin.lastsave();
    expect(await inspector.save({ background: true, wait: '10s' })).toMatchObject({ state: 'saved' });
    expect((await inspector.persistence()).rdb).toMatchObject({ changes: 0 });
    expect((await inspector.persistence()).rdb!.lastSave.getTime()).toBeGreaterThanOrEqual(before * 1_000);
    // 5 keys of some milliseconds each: one is under way when the next is asked for.
    await admin.mset('b', 1, 'c', 1, 'd', 1, 'e', 1);
    await admin.config('SET', 'rdb-key-save-delay', '100000');
    expect(await inspector.save({ background: true })).toMatchObject({ state: 'started' });
    expect(await inspector.save({ background: true })).toMatchObject({ state: 'under way', omitted: [] });
    expect((await inspector.persistence()).rdb).toMatchObject({ saving: true });
    expect(await inspector.save({ background: true, wait: 1 })).toMatchObject({ state: 'under way' });
    expect(await inspector.save({ background: true, wait: '10s' })).toMatchObject({ state: 'saved' });
    await admin.config('SET', 'rdb-key-save-delay', '0');
  });

  it('save: is scheduled while the append-only file is rewritten, and waited for even so', async () => {
    const admin = await server.admin();
    await admin.mset('a', 1, 'b', 1, 'c', 1, 'd', 1, 'e', 1);
    await admin.config('SET', 'rdb-key-save-delay', '100000', 'appendonly', 'yes');
    await eventually(async () => (await inspector.persistence()).aof?.rewriting);
    await admin.config('SET', 'rdb-key-save-delay', '0');
    expect(await inspector.save({ background: true })).toMatchObject({ state: 'scheduled' });
    expect(await inspector.save({ background: true, wait: '10s' })).toMatchObject({ state: 'saved' });
    expect((await inspector.persistence()).aof).toMatchObject({ enabled: true, rewriting: false });
    await admin.config('SET', 'appendonly', 'no');
  });

  it('save: says when it failed, and keeps to the background', async () => {
    const admin = await server.admin();
    const refused = inspector.save({ background: false, wait: 'soon' } as never);
    await expect(refused).rejects.toMatchObject({
      code: 'INSPECTION_CONFIGURATION',
      message: expect.stringMatching(/background: must be true.*SAVE[^]*wait: 'soon'/),
    });
    const [, directory] = await admin.config('GET', 'dir');
    const file = join(directory!, 'dump.rdb');
    await rm(file, { force: true });
    // The snapshot is written beside, and cannot be given its name.
    await mkdir(file);
    expect(await inspector.save({ background: true, wait: '10s' })).toMatchObject({ state: 'failed' });
    expect((await inspector.persistence()).rdb).toMatchObject({ lastStatus: 'failed' });
    // PING is refused now, as writes are: an answer, all the same.
    await expect(admin.ping()).rejects.toThrow('MISCONF');
    expect(await inspector.latency()).toMatchObject({ roundTrip: { samples: 10 }, omitted: [] });
    await rm(file, { recursive: true });
    expect(await inspector.save({ background: true, wait: '10s' })).toMatchObject({ state: 'saved' });
  });

  it('latency: round trips, and what the server was slow with', async () => {
    const admin = await server.admin();
    await admin.config('SET', 'latency-monitor-threshold', '1');
    await admin.call('DEBUG', 'SLEEP', '0.03').catch(() => admin.eval('for i = 1, 20000000 do end', 0));
    const { roundTrip, events } = await inspector.latency({ samples: 5 });
    expect(roundTrip!.samples).toBe(5);
    expect(roundTrip!.least).toBeGreaterThan(0);
    expect(roundTrip!.median).toBeGreaterThanOrEqual(roundTrip!.least);
    expect(roundTrip!.most).toBeGreaterThanOrEqual(roundTrip!.median);
    const command = events?.find(({ event }) => event === 'command');
    expect(command!.worst).toBeGreaterThanOrEqual(20);
    expect(command!.worst).toBeGreaterThanOrEqual(command!.last);
    expect(Math.abs(command!.at.getTime() - Date.now())).toBeLessThan(60_000);
    await admin.config('SET', 'latency-monitor-threshold', '0');
  });

  it('slowLog and latency: numbers, whatever the driver makes of them', async () => {
    const admin = await server.admin();
    await admin.config('SET', 'slowlog-log-slower-than', '0', 'latency-monitor-threshold', '1');
    await admin.eval('for i = 1, 2000000 do end', 0);
    await admin.config('SET', 'slowlog-log-slower-than', '-1', 'latency-monitor-threshold', '0');
    const driver = { stringNumbers: true };
    const { app, connection } = await startConnection({ ...server.options, driver });
    const strings = new RedisInspector(connection);
    const { commands } = await strings.slowLog({ count: 1 });
    expect(commands).toEqual((await inspector.slowLog({ count: 1 })).commands);
    expect(commands[0]!.id).toEqual(expect.any(Number));
    const { events } = await strings.latency();
    expect(events).toEqual((await inspector.latency()).events);
    expect(events![0]).toMatchObject({ last: expect.any(Number), worst: expect.any(Number) });
    await app.close();
  });

  it('replication: of a master without replicas', async () => {
    expect(await inspector.replication()).toEqual({
      role: 'master',
      replicas: [],
      nodes: [{ node: 'default', role: 'master', replicas: [] }],
      omitted: [],
    });
  });

  it('replication: does not know how far a replica is behind that is still given its copy', async () => {
    const admin = await server.admin();
    await admin.config('SET', 'repl-diskless-sync', 'yes', 'repl-diskless-sync-delay', '60');
    const replica = await startRedis();
    try {
      const copy = await replica.admin();
      await copy.config('SET', 'masteruser', '', 'masterauth', '');
      await copy.replicaof('127.0.0.1', server.port);
      await eventually(async () => {
        const { replicas } = await inspector.replication();
        expect(replicas).toMatchObject([{ state: 'wait_bgsave', behind: undefined }]);
      });
    } finally {
      await replica.stop();
    }
  });

  it.each([
    [
      'commandStats',
      () => inspector.commandStats({ top: 0, by: 'name', tp: 1 } as never),
      ['tp', 'top', 'by'],
    ],
    ['slowLog', () => inspector.slowLog({ count: 1.5, arguments: 'yes' } as never), ['count', 'arguments']],
    ['latency', () => inspector.latency({ samples: 0 }), ['samples']],
    ['save', () => inspector.save(undefined as never), ['options', 'background']],
  ] as const)('%s: lists every problem of its options', async (name, call, options) => {
    const error = await call().then(
      () => undefined,
      (reason: unknown) => reason as { message: string; problems: { option: string }[] },
    );
    expect(error).toMatchObject({ code: 'INSPECTION_CONFIGURATION', name: 'InspectionConfigurationError' });
    expect(error!.message).toMatch(`RedisInspector.${name} was not called correctly`);
    expect(error!.problems.map(({ option }) => option)).toEqual(options);
  });
});
