import { showValue } from './mask.js';
import { hostFault, PORT_EXPECTED, readHost, readNode } from './node-address.js';
import type { Problems } from './problems.js';
import { parseRedisUrl, type RedisUrl } from './redis-url.js';
import type { HostAndPort, RedisTarget } from './resolved-options.js';
import type { Settings } from './settings.js';

/** Where to connect to, and the URL if one said so. */
export interface Address {
  readonly target: RedisTarget | undefined;
  readonly url: RedisUrl | undefined;
}

/** The options that are an address in code: with one of them the environment is not read. */
export const ADDRESS_OPTIONS = ['url', 'host', 'path', 'sentinel', 'cluster'] as const;

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26_379;

/** Finds the address and checks that there is one only. Undefined where none was given or it is wrong. */
export function resolveAddress(settings: Settings, problems: Problems): Address {
  reportSeveral(settings, problems);
  const given = settings.find('url');
  const url = given && parseRedisUrl(given, problems);
  const targets = [
    url?.target,
    settings.has('host') || isPortOnly(settings) ? readServer(settings, problems) : undefined,
    settings.has('path') ? readSocket(settings, problems) : undefined,
    settings.find('sentinel')?.value ? readSentinel(settings, problems) : undefined,
    settings.find('cluster')?.value ? readCluster(settings, problems) : undefined,
  ];
  return { target: targets.find((target) => target !== undefined), url };
}

/** `REDIS_PORT` alone means a server on this machine. In code a port has its host beside it. */
function isPortOnly(settings: Settings): boolean {
  const hasOther = ADDRESS_OPTIONS.some((option) => settings.has(option));
  return settings.find('port')?.source === 'environment' && !hasOther;
}

function reportSeveral(settings: Settings, problems: Problems): void {
  const given = ADDRESS_OPTIONS.filter((option) => settings.has(option));
  const [first, ...others] = given.map((option) => settings.label(option));
  for (const other of others) {
    problems.add(other, `is given, but ${first} is too; a connection has one address`);
  }
  const port = settings.find('port');
  const host = settings.find('host');
  if (!port || port.source === host?.source || isPortOnly(settings)) return;
  const address = first ? `is given, but the address is that of ${first}` : 'is given, but no host';
  problems.add(port.option, `${address}; a port goes with host only`);
}

function readServer(settings: Settings, problems: Problems): RedisTarget | undefined {
  const { option, value } = settings.find('host') ?? { option: 'host', value: 'localhost' };
  const host = typeof value === 'string' ? readHost(value) : undefined;
  if (value !== undefined && host === undefined) problems.add(option, hostFault(value));
  const port = settings.integer('port', { min: 1, max: 65_535, expected: PORT_EXPECTED }) ?? REDIS_PORT;
  return host === undefined ? undefined : { kind: 'standalone', host, port };
}

function readSocket(settings: Settings, problems: Problems): RedisTarget | undefined {
  const path = settings.text('path');
  if (path === undefined) return undefined;
  if (!path.includes('://') && !path.includes('\0')) return { kind: 'socket', path };
  problems.add('path', `${showValue(path)} is not the path of a socket; a URL goes into url`);
  return undefined;
}

function readSentinel(settings: Settings, problems: Problems): RedisTarget | undefined {
  const masterName = settings.text('sentinel.masterName');
  const nodes = readNodes('sentinel', SENTINEL_PORT, settings, problems);
  const username = settings.text('sentinel.username');
  const password = settings.secret('sentinel.password');
  if (!settings.has('sentinel.masterName')) {
    problems.add(
      settings.label('sentinel.masterName'),
      'is missing: the name of the master group to ask Sentinels for',
    );
  }
  if (settings.has('sentinel.username') && !settings.has('sentinel.password')) {
    problems.add(settings.label('sentinel.username'), `needs ${settings.label('sentinel.password')}`);
  }
  if (masterName === undefined || nodes === undefined) return undefined;
  return {
    kind: 'sentinel',
    masterName,
    nodes,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}

function readCluster(settings: Settings, problems: Problems): RedisTarget | undefined {
  const nodes = readNodes('cluster', REDIS_PORT, settings, problems);
  const natMap = readNatMap(settings, problems);
  if (!nodes) return undefined;
  return { kind: 'cluster', nodes, ...(natMap && { natMap }) };
}

function readNodes(
  topology: 'sentinel' | 'cluster',
  defaultPort: number,
  settings: Settings,
  problems: Problems,
): readonly HostAndPort[] | undefined {
  const path = `${topology}.nodes`;
  const given = settings.find(path);
  const what = topology === 'sentinel' ? 'Sentinels' : 'nodes of the Cluster';
  if (!given) problems.add(settings.label(path), `is missing: some of the ${what}, as host:port`);
  if (given?.value === undefined) return undefined;
  const { option, value, source } = given;
  if (!Array.isArray(value) || value.length === 0) {
    const shown = Array.isArray(value) ? 'is empty' : `${showValue(value)} is not a list`;
    problems.add(option, `${shown}; expected some of the ${what}, as host:port`);
    return undefined;
  }
  const nodes = Array.from(value, (node: unknown, index) => {
    return readNode(node, defaultPort, source === 'code' ? `${option}[${index}]` : option, problems);
  });
  return nodes.filter((node) => node !== undefined);
}

function readNatMap(settings: Settings, problems: Problems): Record<string, HostAndPort> | undefined {
  const value = settings.find('cluster.natMap')?.value;
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.add(
      'cluster.natMap',
      `${showValue(value)} is not an object such as { '10.0.0.1:6379': { host, port } }`,
    );
    return undefined;
  }
  const entries = Object.entries(value).flatMap(([announced, reachable]: [string, unknown]) => {
    const node = readNode(reachable, REDIS_PORT, `cluster.natMap[${showValue(announced)}]`, problems);
    return node ? [[announced, node] as const] : [];
  });
  return Object.fromEntries(entries);
}
