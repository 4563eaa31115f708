import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, afterAll, describe, expect, it } from '@jest/globals';
import { startRedis, type RedisServer } from 'rednest/testing';
import { MODULE_COMMANDS } from '../../src/cli/doctor/module-commands.js';
import { startLoadable, startLoading } from '../redis/fixtures/slow-loading.js';
import { eventually } from '../support/eventually.js';
import { guideAcl, userLine } from '../support/guide-acl.js';
import { Opened } from '../support/opened.js';
import { rednest, variablesOf, type Ran, type Variables } from './fixtures/tool.js';

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly found: string;
  readonly advice?: string;
}

/** The findings, as `level check: found`. */
async function diagnose(variables: Variables): Promise<{ ran: Ran; findings: Finding[]; lines: string[] }> {
  const ran = await rednest(['doctor', '--json', '--timeout', '1s'], variables);
  const { findings } = JSON.parse(ran.output) as { findings: Finding[] };
  return { ran, findings, lines: findings.map(({ check, level, found }) => `${level} ${check}: ${found}`) };
}

/** Whatever is wrong says what to do about it. */
function expectAdvice(findings: Finding[]): void {
  for (const { level, advice } of findings)
    if (level === 'warning' || level === 'problem') expect(advice).toBeTruthy();
}

describe('rednest doctor', () => {
  const opened = new Opened();
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({
      acl: [
        'operator on >all-secret ~* &* +@all',
        userLine('+ping', { username: 'app', password: 'app-secret' }),
      ],
      config: { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru', appendonly: 'yes' },
    });
  });
  afterAll(() => server.stop());

  const withOperator = (): Variables => variablesOf(server);

  it('finds a healthy server well', async () => {
    const { ran, findings, lines } = await diagnose(withOperator());
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
    expect(ran).toMatchObject({ code: 0, messages: '' });
    expect(new Set(findings.map(({ check }) => check))).toEqual(
      new Set(
        'environment address tls auth version replication permissions latency memory persistence clients'.split(
          ' ',
        ),
      ),
    );
    expect(lines).toContain("ok auth: the user is 'operator'");
  });

  it('prints it for people, and masks the password', async () => {
    const { output } = await rednest(['doctor'], withOperator());
    expect(output).toMatch(/^✓ environment {2}REDIS_HOST='127\.0\.0\.1', .*REDIS_PASSWORD=\*\*\*$/m);
    expect(output).toMatch(/^'default' \(standalone 127\.0\.0\.1:\d+\): 11 well$/m);
    expect(output).not.toContain('all-secret');
    expect(output).not.toContain('\u001B');
  });

  it('tells of which commands each module would be refused, also where ACL DRYRUN is not permitted', async () => {
    const admin = await server.admin();
    const user = { ...withOperator(), USERNAME: 'app', PASSWORD: 'app-secret' };
    const byTransaction = await diagnose(user);
    await admin.call('ACL', 'SETUSER', 'app', '+acl|dryrun', '+acl|whoami');
    const byDryRun = await diagnose(user);
    await admin.call('ACL', 'SETUSER', 'app', '-acl|dryrun', '-acl|whoami');
    const lacking = ({ lines }: { lines: string[] }) =>
      lines.filter((line) => line.includes('permissions: '));
    expect(lacking(byTransaction)).toEqual(lacking(byDryRun));
    expect(lacking(byDryRun)).toContainEqual(
      expect.stringMatching(/^warning permissions: lock lacks \d+ commands: time hgetall .* zrange publish$/),
    );
    expect(lacking(byDryRun)).toContain(
      'ok permissions: the user may run what connection and health need; keys are not tried',
    );
    expect(byDryRun.lines).toContainEqual(
      expect.stringContaining('skipped clients: CLIENT LIST is not permitted'),
    );
    // Nothing of what was tried was done.
    expect(await admin.dbsize()).toBe(0);
    expect(byTransaction.ran.code).toBe(0);
    expectAdvice(byDryRun.findings);
  });

  it.each(['cache', 'lock', 'events', 'encryption'] as const)('knows what the guide grants %s', (module) => {
    const granted = guideAcl(module).match(/(?<=\+)\S+/g);
    expect([...MODULE_COMMANDS[module]].toSorted()).toEqual([...new Set(granted)].toSorted());
  });

  it('knows what the guides grant the inspector and the probes', () => {
    const granted = guideAcl('diagnostics').match(/(?<=\+)\S+/g);
    expect([...MODULE_COMMANDS.inspector].toSorted()).toEqual(granted?.toSorted());
    // INFO is in the connection's own list.
    expect(MODULE_COMMANDS.health.map((command) => `+${command}`)).toEqual([guideAcl('health'), '+info']);
  });

  it('knows what the guide grants connections', () => {
    const granted = guideAcl().match(/(?<=\+)\S+/g);
    expect([...MODULE_COMMANDS.connection].toSorted()).toEqual(granted?.toSorted());
  });

  it('tells all that is wrong with the environment', async () => {
    const { ran, lines } = await diagnose({ PORT: 'nine', DB: '-1', PASSWORD: 'top-secret' });
    expect(ran.code).toBe(2);
    expect(ran.output).not.toContain('top-secret');
    expect(lines.filter((line) => line.startsWith('problem'))).toEqual([
      expect.stringContaining("problem environment: REDIS_PORT: 'nine' is not a port"),
      expect.stringContaining('problem environment: REDIS_DB: -1 is not a database number'),
    ]);
  });

  it.each([
    ['a wrong password', { PASSWORD: 'wrong' }, 'problem connection: WRONGPASS'],
    ['no password', { USERNAME: undefined, PASSWORD: undefined }, 'problem connection: NOAUTH'],
    ['a port on which nobody listens', { PORT: 1 }, 'problem address: 127.0.0.1:1: connect ECONNREFUSED'],
    ['a name that nobody has', { HOST: 'redis.invalid' }, 'problem address: redis.invalid:'],
    ['TLS where plaintext is spoken', { USE_TLS: 'true' }, 'problem tls: on, but 127.0.0.1:'],
  ])('tells of %s, and cannot connect', async (_what, variables, expected) => {
    const { ran, findings, lines } = await diagnose({ ...withOperator(), ...variables });
    expect(lines.at(-1)).toContain(expected);
    expect(ran).toMatchObject({ code: 3, messages: '' });
    expectAdvice(findings);
  });

  it('tells of a replica, which refuses writes', async () => {
    const admin = await server.admin();
    await admin.replicaof('127.0.0.1', 1);
    const { ran, lines } = await diagnose(withOperator());
    await admin.replicaof('NO', 'ONE');
    expect(lines).toContain(
      'problem replication: it is a replica: it refuses writes, and its link to the master is down',
    );
    expect(ran.code).toBe(1);
  });

  it('tells of a disk that cannot be written to, and of nothing else, since the server answers', async () => {
    const admin = await server.admin();
    const [, directory = ''] = await admin.config('GET', 'dir');
    const file = join(directory, 'dump.rdb');
    // A snapshot is written beside, and cannot be given its name.
    await rm(file, { force: true });
    await mkdir(file);
    await admin.config('SET', 'save', '3600 1');
    await admin.bgsave();
    await eventually(async () => expect(await admin.info('persistence')).toContain('bgsave_status:err'));
    await expect(admin.ping()).rejects.toThrow('MISCONF');
    const { ran, findings, lines } = await diagnose(withOperator());
    await rm(file, { recursive: true });
    await admin.config('SET', 'save', '', 'stop-writes-on-bgsave-error', 'no');
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([
      expect.objectContaining({ check: 'persistence', level: 'problem' }),
    ]);
    expect(lines).not.toContainEqual(expect.stringContaining('ok persistence'));
    expect(lines).toContainEqual(expect.stringContaining('ok latency: a round trip takes'));
    expect(ran.code).toBe(1);
    await admin.bgsave();
  });

  it('tells of a server that is full, though its policy evicts, and is strict about warnings if asked', async () => {
    const admin = await server.admin();
    await admin.set('lasting', 'x'.repeat(100_000));
    const strictly = async () => (await rednest(['doctor', '--strict'], withOperator())).code;
    await eventually(async () => expect(await strictly()).toBe(0));
    await admin.config('SET', 'maxmemory-policy', 'volatile-lru', 'maxmemory', '200kb');
    const full = await diagnose(withOperator());
    await admin.config('SET', 'maxmemory', '0');
    const unlimited = await diagnose(withOperator());
    expect(full.lines).toContainEqual(
      expect.stringMatching(/^problem memory: .*policy volatile-lru: it is full and refuses writes$/),
    );
    expect(full.ran.code).toBe(1);
    expect(unlimited.ran.code).toBe(0);
    expect(unlimited.lines).toContainEqual(expect.stringContaining('warning memory: There is no limit'));
    expect(await strictly()).toBe(1);
    await admin.config('SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru');
  });

  it('tells of a server that accepts connections and says nothing', async () => {
    server.pause();
    const { ran, lines, findings } = await diagnose(withOperator());
    server.resume();
    expect(lines.at(-1)).toBe('problem connection: no answer');
    expect(ran.code).toBe(3);
    expectAdvice(findings);
  });

  it('tells of a server that loads its data set', async () => {
    const loadable = await startLoadable(opened);
    const { loaded } = await startLoading(loadable, 30);
    const { ran, findings } = await diagnose(variablesOf(loadable));
    expect(findings.at(-1)).toMatchObject({
      check: 'connection',
      found: expect.stringMatching(/^LOADING/),
      advice: expect.stringContaining('wait'),
    });
    expect(ran.code).toBe(3);
    await loadable.kill();
    await loaded;
  });

  describe('with TLS', () => {
    let secure: RedisServer;
    beforeAll(async () => {
      secure = await startRedis({ tls: { clientAuth: true }, password: 'secret' });
    });
    afterAll(() => secure.stop());

    it('tells of plaintext where TLS is spoken', async () => {
      const { ran, lines, findings } = await diagnose({
        ...variablesOf(secure),
        USE_TLS: undefined,
        CA_CERT: undefined,
      });
      expect(lines.at(-1)).toMatch(/^problem tls: off, but 127\.0\.0\.1:\d+ speaks TLS$/);
      expect(ran.code).toBe(3);
      expectAdvice(findings);
    });

    it('tells of an authority that is not trusted', async () => {
      const { findings } = await diagnose({ ...variablesOf(secure), CA_CERT: undefined });
      expect(findings.at(-1)?.advice).toContain('Set REDIS_CA_CERT');
    });

    it('tells of a certificate of the client that is missing', async () => {
      const { findings } = await diagnose(variablesOf(secure));
      expect(findings.at(-1)).toMatchObject({
        check: 'tls',
        advice: expect.stringContaining('REDIS_CLIENT_CERT'),
      });
    });

    it('tells until when a certificate is valid', async () => {
      const { tls } = secure.options;
      if (typeof tls !== 'object') throw new TypeError('The server speaks no TLS');
      const certificate = { CLIENT_CERT: String(tls.cert), CLIENT_KEY: String(tls.key) };
      const { ran, lines } = await diagnose({ ...variablesOf(secure), ...certificate });
      expect(lines).toContainEqual(
        expect.stringMatching(/tls: on \(TLSv1\.3\), certificate '.+' is valid for \d+ more day/),
      );
      expect(ran.output).not.toContain('PRIVATE KEY');
      expect(ran.code).toBe(0);
    });
  });
});
