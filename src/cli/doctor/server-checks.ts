import type { PersistenceFigures } from '../../diagnostics/index.js';
import { orRedisError } from '../../redis/shared.js';
import { RedisPermissionError, RedisCommandError } from '../../redis/index.js';
import { counted, durationText, percent, sizeText } from '../output/text.js';
import { placesOf } from './addresses.js';
import { addressesOf, isLoopback, type Place } from './dial.js';
import { eachNode, ofNode, tellOmissions, type Check, type Examined } from './examined.js';
import type { Findings } from './finding.js';

/** The servers that rednest works with, and the oldest of each. */
const SERVERS = {
  redis: { name: 'Redis', oldest: '6.2' },
  valkey: { name: 'Valkey', oldest: '7.2' },
} as const;

/** Milliseconds that a round trip within a data centre does not take. */
const SLOW_ROUND_TRIP = 5;
/** How many of the possible clients are near to too many. */
const MANY_CLIENTS = 0.8;
/** Bytes that a replica may be behind: what a moment's writes are. */
const FAR_BEHIND = 10 * 1024 ** 2;

export const authentication: Check = { name: 'auth', look: lookAtUser };
export const version: Check = { name: 'version', look: lookAtVersion };
export const replication: Check = { name: 'replication', look: lookAtReplication };
export const latency: Check = { name: 'latency', look: lookAtLatency };
export const memory: Check = { name: 'memory', look: lookAtMemory };
export const persistence: Check = { name: 'persistence', look: lookAtPersistence };
export const clients: Check = { name: 'clients', look: lookAtClients };

async function lookAtUser({ connection, options, prefix }: Examined, findings: Findings): Promise<void> {
  const user = await whoAmI(connection.client, options.username ?? 'default');
  const hasPassword = options.password !== undefined || options.credentials !== undefined;
  if (user !== 'default') return findings.ok(`the user is '${user}'`);
  if (hasPassword) return findings.ok("the user is 'default', with a password");
  const isLocal = await areLocal(placesOf(options));
  const found = "the user is 'default', without a password: whoever reaches the server may do everything";
  if (isLocal) findings.ok(`${found}; on this machine only`);
  else
    findings.warning(
      found,
      `Give the server a user or a password, and set ${prefix}USERNAME and ${prefix}PASSWORD`,
    );
}

async function areLocal(places: readonly Place[]): Promise<boolean> {
  const hosts = places.flatMap((place) => ('host' in place ? [place.host] : []));
  return (await Promise.all(hosts.map(addressesOf))).flat().every(isLoopback);
}

async function whoAmI(client: Examined['connection']['client'], fallback: string): Promise<string> {
  try {
    return String(await orRedisError(client.call('ACL', 'WHOAMI')));
  } catch (error) {
    // Not everybody may ask.
    if (error instanceof RedisPermissionError || error instanceof RedisCommandError) return fallback;
    throw error;
  }
}

async function lookAtVersion(examined: Examined, findings: Findings): Promise<void> {
  const { connection, inspector, prefix } = examined;
  const report = await inspector.server();
  eachNode(examined, findings, report, ({ version: number, flavour, mode }, its) => {
    const { name, oldest } = flavour === 'valkey' ? SERVERS.valkey : SERVERS.redis;
    const found = `${name} ${number}, ${mode}`;
    if (isAtLeast(number, oldest)) its.ok(found);
    else its.problem(found, `rednest works with ${name} ${oldest} and later: upgrade it`);
    if (mode === 'cluster' && connection.topology !== 'cluster')
      its.problem(
        'it is a node of a Cluster, and has a part of the keys only',
        `Set ${prefix}CLUSTER_NODES instead of ${prefix}URL or ${prefix}HOST`,
      );
    if (mode === 'sentinel')
      its.problem(
        'it is a Sentinel, and keeps no data',
        `Set ${prefix}SENTINELS and ${prefix}SENTINEL_MASTER instead of ${prefix}URL or ${prefix}HOST`,
      );
  });
}

function isAtLeast(number: string, oldest: string): boolean {
  const [major = 0, minor = 0] = number.split('.').map(Number);
  const [least = 0, leastMinor = 0] = oldest.split('.').map(Number);
  return major > least || (major === least && minor >= leastMinor);
}

async function lookAtReplication(examined: Examined, findings: Findings): Promise<void> {
  const report = await examined.inspector.replication();
  eachNode(examined, findings, report, ({ role, link, replicas }, its) => {
    if (role === 'replica') {
      const state = link && `, and its link to the master is ${link.state}`;
      its.problem(
        `it is a replica: it refuses writes${state ?? ''}`,
        'Connect to the master, or through Sentinels, which name it',
      );
      return;
    }
    const away = replicas.filter(({ state }) => state !== 'online');
    const late = replicas.filter(({ behind = 0 }) => behind > FAR_BEHIND);
    for (const { replica, state } of away)
      its.warning(
        `the replica ${replica} is not in step (${state})`,
        'It cannot take over until it is: look into its log',
      );
    for (const { replica, behind = 0 } of late)
      its.warning(
        `the replica ${replica} is ${sizeText(behind)} behind`,
        'What it does not have is lost when it takes over: is its network or its disk too slow?',
      );
    if (away.length + late.length === 0)
      its.ok(`master with ${counted(replicas.length, 'replica')}${replicas.length > 0 ? ' in step' : ''}`);
  });
}

async function lookAtLatency(examined: Examined, findings: Findings): Promise<void> {
  const { roundTrip, omitted } = await examined.inspector.latency();
  tellOmissions(examined, findings, omitted);
  if (!roundTrip) return;
  const { median, most, samples } = roundTrip;
  const found = `a round trip takes ${durationText(median)} (median of ${samples}; at most ${durationText(most)})`;
  if (median <= SLOW_ROUND_TRIP) findings.ok(found);
  else
    findings.warning(
      found,
      'Have the application near to Redis; if it is, look at slowlog, and at the load of both machines',
    );
}

async function lookAtMemory(examined: Examined, findings: Findings): Promise<void> {
  const report = await examined.inspector.memory();
  eachNode(examined, findings, report, ({ used, limit, ratio, policy, canEvict }, its) => {
    const of = limit === undefined ? 'no limit' : `limit ${sizeText(limit)}`;
    const full = ratio === undefined ? '' : ` (${percent(ratio)})`;
    const found = `${sizeText(used)} used${full}, ${of}, policy ${policy}`;
    if (ratio === undefined || ratio < 1 || canEvict !== false) its.ok(found);
    else
      its.problem(
        `${found}: it is full and refuses writes`,
        'Raise maxmemory, remove keys (`rednest bigkeys` tells which), or allow eviction where all is a cache (maxmemory-policy)',
      );
  });
  for (const warning of report.warnings) {
    // Of several nodes, each has its name in front.
    const node = report.nodes.find((each) => warning.startsWith(`${each.node}: `))?.node;
    const text = (node ? warning.slice(node.length + 2) : warning).replace(/\.$/, '');
    (node ? ofNode(examined, findings, node) : findings).warning(
      text,
      'See maxmemory and maxmemory-policy, and `rednest bigkeys` for what takes the room',
    );
  }
}

async function lookAtPersistence(examined: Examined, findings: Findings): Promise<void> {
  const report = await examined.inspector.persistence();
  eachNode(examined, findings, report, (figures, its) => {
    const { rdb, aof } = figures;
    if (tellPersistenceProblems(figures, its)) return;
    if (aof.enabled) its.ok(`append-only file${rdb.enabled ? ' and snapshots' : ''}`);
    else if (rdb.enabled === true) its.ok(`snapshots, the last at ${rdb.lastSave.toISOString()}`);
    else if (rdb.enabled === false)
      its.warning(
        'nothing is kept on disk: a restart loses all data',
        'Well for a cache. Where locks, durable events or encrypted values are kept, set appendonly yes',
      );
    // Where it is not known, what was left out says why.
  });
}

/** @returns whether there are any */
function tellPersistenceProblems({ loading, rdb, aof }: PersistenceFigures, its: Findings): boolean {
  const hasSnapshotFailed = rdb.lastStatus === 'failed';
  const hasLogFailed =
    aof.enabled && (aof.lastWriteStatus === 'failed' || aof.lastRewriteStatus === 'failed');
  if (loading) its.problem('it is loading its data set', 'Wait until it has');
  if (hasSnapshotFailed)
    its.problem(
      'the last snapshot (RDB) has failed; with stop-writes-on-bgsave-error the server refuses writes',
      'Is its disk full, or may it not write there? Its log tells',
    );
  if (hasLogFailed) its.problem('the append-only file cannot be written', 'Is the disk full? Its log tells');
  return loading || hasSnapshotFailed || hasLogFailed;
}

async function lookAtClients(examined: Examined, findings: Findings): Promise<void> {
  const report = await examined.inspector.clients();
  eachNode(examined, findings, report, ({ connected, limit, rejected }, its) => {
    const found = `${counted(connected, 'client')}${limit === undefined ? '' : ` of ${limit} (maxclients)`}`;
    if (limit !== undefined && connected > limit * MANY_CLIENTS)
      its.warning(found, 'Raise maxclients, or find out who holds so many connections (CLIENT LIST)');
    else its.ok(found);
    if (rejected > 0)
      its.warning(
        `${counted(rejected, 'connection was', 'connections were')} refused since the server started, because maxclients was reached`,
        'Raise maxclients, or find out who holds so many connections',
      );
  });
}
