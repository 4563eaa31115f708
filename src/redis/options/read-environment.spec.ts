import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigService } from '@nestjs/config';
import { readFileSync } from 'node:fs';
import { environmentVariables } from './environment.js';
import { problemsOf, resolve } from './resolve.fixture.js';
import { resolveRedisOptions } from './resolve-redis-options.js';

describe('environment', () => {
  it.each([
    [
      { REDIS_URL: 'rediss://app:s3cret@cache:7000/2' },
      { target: { host: 'cache', port: 7000 }, username: 'app', db: 2 },
    ],
    [{ REDIS_HOST: 'cache' }, { target: { kind: 'standalone', host: 'cache', port: 6379 } }],
    [
      { REDIS_HOST: ' cache ', REDIS_PORT: ' 7000 ' },
      { target: { kind: 'standalone', host: 'cache', port: 7000 } },
    ],
    [{ REDIS_PORT: '7000' }, { target: { kind: 'standalone', host: 'localhost', port: 7000 } }],
    [
      { REDIS_URL: '', REDIS_HOST: '', REDIS_PASSWORD: '', REDIS_DB: '' },
      { target: { host: 'localhost' }, db: 0 },
    ],
    [
      { REDIS_SENTINELS: 'a, b:1,', REDIS_SENTINEL_MASTER: 'main', REDIS_SENTINEL_PASSWORD: 's3cret' },
      {
        target: {
          kind: 'sentinel',
          masterName: 'main',
          nodes: [
            { host: 'a', port: 26379 },
            { host: 'b', port: 1 },
          ],
          password: 's3cret',
        },
      },
    ],
    [
      { REDIS_CLUSTER_NODES: '[::1]:7000,b' },
      {
        target: {
          kind: 'cluster',
          nodes: [
            { host: '::1', port: 7000 },
            { host: 'b', port: 6379 },
          ],
        },
      },
    ],
    [
      { REDIS_USERNAME: 'app', REDIS_PASSWORD: ' s3cret ', REDIS_DB: '3' },
      { username: 'app', password: ' s3cret ', db: 3 },
    ],
    [
      {
        REDIS_STARTUP: 'optional',
        REDIS_STARTUP_TIMEOUT: '1m',
        REDIS_CONNECT_TIMEOUT: '2s',
        REDIS_COMMAND_TIMEOUT: '500ms',
      },
      { startup: 'optional', startupTimeout: 60_000, connectTimeout: 2_000, commandTimeout: 500 },
    ],
    [{ REDIS_HOST: 'a', REDIS_USE_TLS: 'true', REDIS_TLS_SERVERNAME: 'b' }, { tls: { servername: 'b' } }],
    [
      { REDIS_HOST: 'a', REDIS_PORT: 7000, REDIS_USE_TLS: true },
      { target: { port: 7000 }, tls: { minVersion: 'TLSv1.2' } },
    ],
  ])('%j', (env, expected) => {
    expect(resolve({ env })).toMatchObject(expected);
  });

  it.each(['true', 'TRUE', '1', 'yes', 'on', 'On'])('REDIS_USE_TLS=%s turns TLS on', (word) => {
    expect(resolve({ env: { REDIS_USE_TLS: word } }).tls).toBeDefined();
  });

  it.each(['false', '0', 'no', 'off', ''])('REDIS_USE_TLS=%s does not', (word) => {
    expect(resolve({ env: { REDIS_USE_TLS: word } }).tls).toBeUndefined();
  });

  it.each([
    ['REDIS_PORT', '70000', '70000 is not a port (1 to 65535; a Kubernetes tcp://host:port is understood)'],
    ['REDIS_PORT', '0', '0 is not a port (1 to 65535; a Kubernetes tcp://host:port is understood)'],
    ['REDIS_PORT', 'redis', "'redis' is not a port (1 to 65535; a Kubernetes tcp://host:port is understood)"],
    ['REDIS_DB', '-1', '-1 is not a database number (0 or more)'],
    ['REDIS_DB', '1.5', "'1.5' is not a database number (0 or more)"],
    ['REDIS_USE_TLS', 'maybe', "'maybe' is not true or false (1, 0, yes, no, on and off are understood too)"],
    ['REDIS_STARTUP', 'later', "'later' is not 'required' or 'optional'"],
    [
      'REDIS_STARTUP_TIMEOUT',
      '10',
      "'10' is not a duration (milliseconds as a number, or text such as '250ms', '5s', '10m')",
    ],
    ['REDIS_CONNECT_TIMEOUT', '0s', "'0s' is not more than 0 ms"],
    ['REDIS_COMMAND_TIMEOUT', '30d', "'30d' is more than the 24.8 days that a timer can wait"],
    [
      'REDIS_HOST',
      'redis://u:s3cret@a',
      "'redis://***@a' is a URL, not a host name or IP address; a URL goes into url",
    ],
    ['REDIS_HOST', { nested: true }, 'an object is not text'],
    ['REDIS_CLUSTER_NODES', 'a:1,b:70000', "'b:70000' is not host:port ([::1]:6379 for IPv6)"],
    ['REDIS_CLUSTER_NODES', ',', 'is empty; expected some of the nodes of the Cluster, as host:port'],
  ])('%s=%p is refused', (variable, value, message) => {
    expect(problemsOf({ env: { [variable]: value } })).toEqual([`${variable}: ${message}`]);
  });

  it.each([
    [
      { REDIS_URL: 'redis://a', REDIS_HOST: 'b' },
      ['REDIS_HOST: is given, but REDIS_URL is too; a connection has one address'],
    ],
    [
      { REDIS_URL: 'redis://a', REDIS_PORT: '6379' },
      ['REDIS_PORT: is given, but the address is that of REDIS_URL; a port goes with host only'],
    ],
    [
      { REDIS_SENTINELS: 'a', REDIS_SENTINEL_MASTER: 'main', REDIS_CLUSTER_NODES: 'b' },
      ['REDIS_CLUSTER_NODES: is given, but REDIS_SENTINELS is too; a connection has one address'],
    ],
    [
      { REDIS_SENTINELS: 'a' },
      ['REDIS_SENTINEL_MASTER: is missing: the name of the master group to ask Sentinels for'],
    ],
    [{ REDIS_SENTINEL_MASTER: 'main' }, ['REDIS_SENTINELS: is missing: some of the Sentinels, as host:port']],
    [
      { REDIS_URL: 'redis://a', REDIS_SENTINEL_MASTER: 'main' },
      [
        'REDIS_SENTINEL_MASTER: is given, but REDIS_URL is too; a connection has one address',
        'REDIS_SENTINELS: is missing: some of the Sentinels, as host:port',
      ],
    ],
    [
      { REDIS_CLUSTER_NODES: 'a', REDIS_DB: '2' },
      ['REDIS_DB: 2 is not possible on a Cluster, which has no databases; leave it out'],
    ],
    [
      { REDIS_URL: 'redis://a/1', REDIS_DB: '2' },
      ['REDIS_DB: 2 differs from the database in REDIS_URL (1); give one of them'],
    ],
  ])('%j is refused', (env, problems) => {
    expect(problemsOf({ env })).toEqual(problems);
  });

  it.each(['rediss://u:pa,s3cret@a:1,b', 'u:s3,cret@a:1'])(
    'does not show half a password of the nodes %p',
    (nodes) => {
      const [problem, ...others] = problemsOf({ env: { REDIS_CLUSTER_NODES: nodes } });
      expect(others).toEqual([]);
      expect(problem).not.toMatch(/pa|s3|cret/);
    },
  );

  it('is read from process.env, as ConfigService does', () => {
    process.env['REDIS_PROCESS_SPEC_HOST'] = 'from-process';
    const config = new ConfigService();
    const { target } = resolveRedisOptions({ name: 'process-spec', options: {}, config });
    expect(target).toMatchObject({ host: 'from-process' });
  });
  afterEach(() => {
    delete process.env['REDIS_PROCESS_SPEC_HOST'];
  });
});

describe('variables of a Kubernetes Service', () => {
  it.each([
    [{ REDIS_PORT: 'tcp://10.0.0.1:6380' }, { kind: 'standalone', host: '10.0.0.1', port: 6380 }],
    [{ REDIS_PORT: 'tcp://[fd00::1]:6380' }, { kind: 'standalone', host: 'fd00::1', port: 6380 }],
    [
      { REDIS_HOST: 'cache', REDIS_PORT: 'tcp://10.0.0.1:6380' },
      { kind: 'standalone', host: 'cache', port: 6380 },
    ],
    [
      { REDIS_URL: 'redis://cache', REDIS_PORT: 'tcp://10.0.0.1:6380' },
      { kind: 'standalone', host: 'cache', port: 6379 },
    ],
    [
      { REDIS_CLUSTER_NODES: 'a', REDIS_PORT: 'tcp://10.0.0.1:6380' },
      { kind: 'cluster', nodes: [{ host: 'a', port: 6379 }] },
    ],
    [
      { REDIS_SENTINELS: 'a', REDIS_SENTINEL_MASTER: 'main', REDIS_PORT: 'udp://10.0.0.1:6380' },
      { kind: 'sentinel', masterName: 'main', nodes: [{ host: 'a', port: 26379 }] },
    ],
  ])('%j', (env, target) => {
    expect(resolve({ env }).target).toEqual(target);
  });

  it('are those of the connection that the Service is called after', () => {
    const env = { REDIS_SESSIONS_PORT: 'tcp://10.0.0.1:6380' };
    expect(resolve({ name: 'sessions', env }).target).toMatchObject({ host: '10.0.0.1', port: 6380 });
  });

  it.each(['udp://10.0.0.1:6379', 'tcp://10.0.0.1:70000', 'http://10.0.0.1:6379', 'tcp://'])(
    '%p is no address',
    (port) => {
      expect(problemsOf({ env: { REDIS_PORT: port } })).toEqual([
        `REDIS_PORT: '${port}' is not a port (1 to 65535; a Kubernetes tcp://host:port is understood)`,
      ]);
    },
  );
});

describe('.env.example', () => {
  it('has every variable that is read, and no other', () => {
    const text = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');
    const documented = [...text.matchAll(/^#? ?(REDIS_\w+)=/gm)].map(([, name]) => name);
    const read = environmentVariables().map((name) => `REDIS_${name}`);
    expect(new Set(documented)).toEqual(new Set(read));
    expect(documented).toHaveLength(read.length);
    expect(read).toContain('REDIS_URL');
  });
});
