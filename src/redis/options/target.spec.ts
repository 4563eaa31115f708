import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { problemsOf, resolve } from './resolve.fixture.js';

describe('address in code', () => {
  it.each([
    [{ host: 'cache' }, { kind: 'standalone', host: 'cache', port: 6379 }],
    [
      { host: '::1', port: 7000 },
      { kind: 'standalone', host: '::1', port: 7000 },
    ],
    [{ host: '[::1]' }, { kind: 'standalone', host: '::1', port: 6379 }],
    [{ path: '/run/redis.sock' }, { kind: 'socket', path: '/run/redis.sock' }],
    [
      {
        sentinel: {
          masterName: 'main',
          nodes: ['a', 'b:1', '[::1]:2', { host: 'c' }, { host: 'd', port: 3 }],
        },
      },
      {
        kind: 'sentinel',
        masterName: 'main',
        nodes: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 1 },
          { host: '::1', port: 2 },
          { host: 'c', port: 26379 },
          { host: 'd', port: 3 },
        ],
      },
    ],
    [
      { sentinel: { masterName: 'main', nodes: ['a'], username: 'watch', password: 's3cret' } },
      {
        kind: 'sentinel',
        masterName: 'main',
        nodes: [{ host: 'a', port: 26379 }],
        username: 'watch',
        password: 's3cret',
      },
    ],
    [
      { cluster: { nodes: ['a', 'b:1'], natMap: { '10.0.0.1:6379': { host: 'c', port: 2 } } } },
      {
        kind: 'cluster',
        nodes: [
          { host: 'a', port: 6379 },
          { host: 'b', port: 1 },
        ],
        natMap: { '10.0.0.1:6379': { host: 'c', port: 2 } },
      },
    ],
  ])('%j', (options, target) => {
    expect(resolve({ options }).target).toEqual(target);
  });

  it.each([
    [{ host: 'a', port: 70000 }, 'port: 70000 is not a port (1 to 65535)'],
    [{ host: 'a', port: 0 }, 'port: 0 is not a port (1 to 65535)'],
    [{ host: 'a', port: '6379' }, "port: '6379' is not a port (1 to 65535)"],
    [{ host: 'a', port: 6379.5 }, 'port: 6379.5 is not a port (1 to 65535)'],
    [{ port: 6379 }, 'port: is given, but no host; a port goes with host only'],
    [
      { url: 'redis://a', port: 6379 },
      'port: is given, but the address is that of url; a port goes with host only',
    ],
    [
      { host: 'redis://u:s3cret@a' },
      "host: 'redis://***@a' is a URL, not a host name or IP address; a URL goes into url",
    ],
    [{ host: 'a:6379' }, "host: 'a:6379' is not a host name or IP address (the port goes into port)"],
    [{ host: '' }, "host: '' is not a host name or IP address (the port goes into port)"],
    [{ host: '[a]' }, "host: '[a]' is not a host name or IP address (the port goes into port)"],
    [{ cluster: { nodes: ['[a]:1'] } }, "cluster.nodes[0]: '[a]:1' is not host:port ([::1]:6379 for IPv6)"],
    [{ host: 5 }, 'host: 5 is not a host name or IP address'],
    [{ path: '' }, "path: '' is not a text with at least one letter"],
    [
      { path: 'unix:///run/redis.sock' },
      "path: 'unix:///run/redis.sock' is not the path of a socket; a URL goes into url",
    ],
    [{ sentinel: true }, 'sentinel: true is not an object of masterName, nodes, username, password'],
    [
      { sentinel: { nodes: ['a'] } },
      'sentinel.masterName: is missing: the name of the master group to ask Sentinels for',
    ],
    [{ sentinel: { masterName: 'main' } }, 'sentinel.nodes: is missing: some of the Sentinels, as host:port'],
    [
      { sentinel: { masterName: 'main', nodes: [] } },
      'sentinel.nodes: is empty; expected some of the Sentinels, as host:port',
    ],
    [
      { sentinel: { masterName: 'main', nodes: ['a'], username: 'u' } },
      'sentinel.username: needs sentinel.password',
    ],
    [{ cluster: {} }, 'cluster.nodes: is missing: some of the nodes of the Cluster, as host:port'],
    [
      { cluster: { nodes: 'a:1,b:1' } },
      "cluster.nodes: 'a:1,b:1' is not a list; expected some of the nodes of the Cluster, as host:port",
    ],
    [
      { cluster: { nodes: ['a'] }, db: 2 },
      'db: 2 is not possible on a Cluster, which has no databases; leave it out',
    ],
    [
      { cluster: { nodes: ['a'], natMap: { x: { host: 'b', port: 70000 } } } },
      "cluster.natMap['x'].port: 70000 is not a port (1 to 65535)",
    ],
  ])('%j is refused', (options, problem) => {
    expect(problemsOf({ options })).toEqual([problem]);
  });

  it('takes db 0 on a Cluster for what it is: nothing', () => {
    expect(resolve({ options: { cluster: { nodes: ['a'] }, db: 0 } }).db).toBe(0);
  });

  it.each([
    [{ url: 'redis://a', host: 'b' }, ['host: is given, but url is too; a connection has one address']],
    [
      { host: 'a', sentinel: { masterName: 'main', nodes: ['b'] }, cluster: { nodes: ['c'] } },
      [
        'sentinel: is given, but host is too; a connection has one address',
        'cluster: is given, but host is too; a connection has one address',
      ],
    ],
  ])('refuses more than one: %j', (options, problems) => {
    expect(problemsOf({ options })).toEqual(problems);
  });

  it('finds all that is wrong with a list of nodes', () => {
    const nodes = ['ok:1', 'a:0', '::1', 'b c', 5, null, { host: 'd:1', port: '6379', prot: 1 }];
    expect(problemsOf({ options: { cluster: { nodes } } })).toEqual([
      "cluster.nodes[1]: 'a:0' is not host:port ([::1]:6379 for IPv6)",
      "cluster.nodes[2]: '::1' is not host:port ([::1]:6379 for IPv6)",
      "cluster.nodes[3]: 'b c' is not host:port ([::1]:6379 for IPv6)",
      "cluster.nodes[4]: 5 is neither 'host:port' nor { host, port }",
      "cluster.nodes[5]: null is neither 'host:port' nor { host, port }",
      'cluster.nodes[6].prot: is not an option of rednest; did you mean port?',
      "cluster.nodes[6].host: 'd:1' is not a host name or IP address (the port goes into port)",
      "cluster.nodes[6].port: '6379' is not a port (1 to 65535)",
    ]);
  });

  it.each(['rediss://:s3cret@a:6379', 'redis://a', 'REDISS://a:6379'])(
    'refuses the URL %p as a node: its scheme would not decide about TLS',
    (node) => {
      for (const options of [
        { cluster: { nodes: [node] } },
        { sentinel: { masterName: 'main', nodes: [node] } },
      ]) {
        const problems = problemsOf({ options });
        expect(problems).toEqual([
          expect.stringMatching(/\.nodes\[0\]: '.*' is a URL; give host:port, and ask for TLS/),
        ]);
        expect(problems.join()).not.toContain('s3cret');
      }
    },
  );

  it('reads back any host and port that it is given', () => {
    const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        const text = name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`;
        const { target } = resolve({ options: { cluster: { nodes: [text, { host: name, port }] } } });
        expect(target).toEqual({
          kind: 'cluster',
          nodes: [
            { host: name, port },
            { host: name, port },
          ],
        });
      }),
    );
  });
});
