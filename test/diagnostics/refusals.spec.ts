import { describe, expect, it } from '@jest/globals';
import { RedisCommandError, RedisPermissionError } from 'rednest';
import { guideAcl } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { omissions, REPORTS } from './fixtures/every-report.js';
import { openInspector } from './fixtures/open-inspector.js';
import { ToldServer } from './fixtures/told-server.js';

const opened = new Opened();

/** What the figures need of what the guide gives: the rest is for scans. */
const OF_FIGURES = /^\+(?:info|ping|config|client|slowlog|latency|bgsave)/;
const ALL = guideAcl('diagnostics')
  .split(' ')
  .filter((rule) => OF_FIGURES.test(rule))
  .join(' ');

const BASE = '+client|setname';

async function inspectorOf(rules: string) {
  const server = await opened.server({ acl: [`watcher on >watch ${BASE} ${rules}`] });
  return { server, ...(await openInspector(opened, server.options)) };
}

describe('a user of the inspector alone', () => {
  it('may ask for everything', async () => {
    const { inspector, server } = await inspectorOf(ALL);
    for (const omitted of Object.values(await omissions(inspector))) expect(omitted).toEqual([]);
    const stats = await (await server.admin()).info('commandstats');
    const used = ALL.split(' ').map((rule) => `cmdstat_${rule.slice(1)}:`);
    expect(used.filter((command) => !stats.includes(command))).toEqual([]);
  });
});

describe('a user who may not ask', () => {
  it('gets what the rest of the commands tell', async () => {
    const { inspector } = await inspectorOf('+info +ping');
    expect(await omissions(inspector)).toEqual({
      memory: [],
      keyspace: [],
      commandStats: [],
      slowLog: ['SLOWLOG GET: not permitted'],
      clients: ['CLIENT LIST: not permitted'],
      server: [],
      persistence: ['CONFIG GET save: not permitted'],
      save: ['BGSAVE: not permitted'],
      replication: [],
      latency: ['LATENCY LATEST: not permitted'],
    });
    expect(await inspector.clients()).toMatchObject({ connected: expect.any(Number), byName: undefined });
    expect(await inspector.persistence()).toMatchObject({ loading: false, rdb: { enabled: undefined } });
    expect(await inspector.latency()).toMatchObject({ roundTrip: { samples: 10 }, events: undefined });
    expect(await inspector.slowLog()).toMatchObject({ commands: [] });
    const { state, nodes, omitted } = await inspector.save({ background: true, wait: '1s' });
    expect({ state, nodes }).toEqual({ state: undefined, nodes: [] });
    expect(omitted[0]!.error).toBeInstanceOf(RedisPermissionError);
  });

  it('gets nothing of what needs INFO, and is told so', async () => {
    const { inspector } = await inspectorOf('+ping +latency +client +slowlog +bgsave +config');
    expect(await omissions(inspector)).toEqual({
      memory: ['INFO memory: not permitted', 'INFO stats: not permitted'],
      keyspace: ['INFO keyspace: not permitted'],
      commandStats: ['INFO commandstats: not permitted'],
      slowLog: [],
      clients: ['INFO clients: not permitted', 'INFO stats: not permitted'],
      server: ['INFO server: not permitted', 'INFO stats: not permitted'],
      persistence: ['INFO persistence: not permitted'],
      save: [],
      replication: ['INFO replication: not permitted'],
      latency: [],
    });
    const memory = await inspector.memory();
    expect(memory).toEqual({ nodes: [], omitted: memory.omitted, warnings: [] });
    const { state } = await inspector.save({ background: true, wait: '1s' });
    expect(['started', 'under way']).toContain(state);
    const samples = inspector.watchMemory('1s')[Symbol.asyncIterator]();
    await expect(samples.next()).rejects.toBeInstanceOf(RedisPermissionError);
  });

  it('may not even ping, and measures how long the refusal takes', async () => {
    const { inspector } = await inspectorOf('+info');
    expect(await inspector.latency()).toMatchObject({
      roundTrip: { samples: 10, least: expect.any(Number) },
      omitted: [{ part: 'LATENCY LATEST', reason: 'not permitted' }],
    });
  });
});

describe('a server whose commands are disabled', () => {
  it.each([
    ['CONFIG', 'persistence', 'CONFIG GET save'],
    ['SLOWLOG', 'slowLog', 'SLOWLOG GET'],
    ['LATENCY', 'latency', 'LATENCY LATEST'],
    ['BGSAVE', 'save', 'BGSAVE'],
  ])('tells the rest without %s', async (command, method, part) => {
    const server = await opened.server({ config: { 'rename-command': `${command} ""` } });
    const { inspector } = await openInspector(opened, server.options);
    const { [method]: omitted, ...others } = await omissions(inspector);
    expect(omitted).toEqual([`${part}: not available`]);
    expect(Object.values(others).flat()).toEqual([]);
    const {
      omitted: [omission],
    } = await REPORTS[method]!(inspector);
    expect(omission!.error).toBeInstanceOf(RedisCommandError);
  });
});

describe('what a server tells', () => {
  async function inspectorTold(told: Record<string, string>) {
    const server = opened.add(await ToldServer.start({ '': 'loading:0', ...told }));
    return (await openInspector(opened, server.options)).inspector;
  }

  it('as Valkey 8', async () => {
    const inspector = await inspectorTold({
      server:
        '# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.3\r\nserver_mode:cluster\r\nuptime_in_seconds:61\r\n',
      replication:
        '# Replication\r\nrole:slave\r\nmaster_host:10.0.0.1\r\nmaster_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\nmaster_sync_in_progress:1\r\nslave_read_repl_offset:0\r\nslave_repl_offset:0\r\nmaster_sync_total_bytes:900\r\nmaster_sync_left_bytes:300\r\nconnected_slaves:0\r\nmaster_repl_offset:0\r\n',
    });
    expect(await inspector.server()).toMatchObject({
      version: '8.1.3',
      flavour: 'valkey',
      mode: 'cluster',
      uptime: 61_000,
      received: 0,
      omitted: [{ part: 'INFO stats', reason: 'not available' }],
    });
    expect(await inspector.replication()).toMatchObject({
      role: 'replica',
      link: { state: 'down', lastHeard: undefined, syncing: true, syncLeft: 300, behind: undefined },
    });
  });

  it('as Redis 6.2, of which less is known', async () => {
    const inspector = await inspectorTold({
      clients: '# Clients\r\nconnected_clients:3\r\nblocked_clients:1\r\n',
      memory: '# Memory\r\nused_memory:1000\r\nmaxmemory:4000\r\n',
      stats: '# Stats\r\ntotal_commands_processed:1\r\nevicted_keys:5\r\n',
      replication:
        '# Replication\r\nrole:slave\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:2\r\nmaster_sync_in_progress:0\r\nslave_repl_offset:70\r\n',
    });
    expect(await inspector.clients()).toMatchObject({ connected: 3, blocked: 1, limit: undefined });
    expect(await inspector.memory()).toMatchObject({
      used: 1_000,
      peak: 1_000,
      resident: 1_000,
      fragmentation: 1,
      limit: 4_000,
      ratio: 0.25,
      policy: 'unknown',
      evicted: 5,
    });
    expect(await inspector.replication()).toMatchObject({
      link: { state: 'up', lastHeard: 2_000, syncing: false, behind: undefined },
    });
  });

  it('as one without INFO, or anything else', async () => {
    const server = opened.add(await ToldServer.start({}));
    const { host, port, driver } = server.options;
    const options = { host, port, driver: { ...driver, enableReadyCheck: false } };
    const { inspector } = await openInspector(opened, options);
    for (const [method, omitted] of Object.entries(await omissions(inspector))) {
      expect(omitted).not.toEqual([]);
      expect({ method, omitted }).toEqual({
        method,
        omitted: omitted.map((each) => each.replace(/: .*/, ': not available')),
      });
    }
  });

  it('as one that refuses for now: it can be reached', async () => {
    const refusal = 'MISCONF Redis is configured to save RDB snapshots';
    const server = opened.add(await ToldServer.start({ '': 'loading:0' }, refusal));
    const { inspector } = await openInspector(opened, server.options);
    for (const [method, omitted] of Object.entries(await omissions(inspector)))
      expect({ method, omitted }).toEqual({
        method,
        omitted: omitted.map((each) => each.replace(/: .*/, ': not available')),
      });
    const { omitted } = await inspector.memory();
    expect(omitted[0]!.error).toMatchObject({ code: 'REDIS_READ_ONLY', message: refusal });
  });

  it.each(['', 'nothing of the kind', '# Memory\r\nused_memory:\r\n:::\r\n'])(
    'as %j is no figure',
    async (text) => {
      const sections = ['server', 'clients', 'memory', 'persistence', 'stats', 'replication', 'keyspace'];
      const told = Object.fromEntries(sections.map((section) => [section, text]));
      const inspector = await inspectorTold({ ...told, '': 'loading:0' });
      for (const report of ['server', 'clients', 'persistence', 'replication', 'keyspace'] as const) {
        const { nodes, omitted } = await inspector[report]();
        expect(nodes).toEqual([]);
        expect(omitted[0]).toMatchObject({ part: `INFO ${report}`, reason: 'not available' });
      }
    },
  );
});
