import { randomBytes } from 'node:crypto';
import { SLOT_COUNT } from '../redis/keys/hash-slot.js';
import type { Access, ServerOptions } from './access.js';
import { busOffset, loopback } from './free-port.js';
import type { ServerSpecification } from './redis-server.js';
import { dataDirectives, replicationDirectives, type Directive } from './server-config.js';

/** What `startCluster` takes. */
export interface RedisClusterOptions extends ServerOptions {
  /** Masters. Slots are dealt out evenly. @default 3 */
  masters?: number;
  /** Replicas of each master. Without any, a Cluster takes some 2 s to start. @default 1 */
  replicas?: number;
}

/** Everything that a Cluster is made of. */
export interface ClusterPlan {
  access: Access;
  options: RedisClusterOptions;
  /** Ports by shard. The first of each is the master's. */
  shards: number[][];
}

interface Member {
  id: string;
  port: number;
  shard: number;
  /** Of whom this node is a replica when it boots. */
  bootMaster: string | undefined;
}

/**
 * Nodes whose files say that the Cluster has been formed already, which takes a second or two otherwise.
 *
 * A master that boots takes no writes for 2 s, and a replica that becomes master does. Hence each shard boots with its second
 * node as the master; the first takes over at once (see `takeOver` in cluster.ts).
 */
export function clusterServers({ access, options, shards }: ClusterPlan): ServerSpecification[] {
  const members = shards.flatMap((ports, shard) => shardMembers(ports, shard));
  const { config = {} } = options;
  const directives: Directive[] = [
    ...dataDirectives(access, options),
    ...replicationDirectives,
    ['cluster-enabled', 'yes'],
    ['cluster-config-file', 'nodes.conf'],
    ['cluster-node-timeout', 1_000],
    ['cluster-replica-validity-factor', 0],
    ['cluster-require-full-coverage', 'no'],
  ];
  return members.map((self) => {
    const files = { 'nodes.conf': nodesFile(members, self, shards.length) };
    return { port: self.port, access, config, directives, files };
  });
}

function shardMembers(ports: number[], shard: number): Member[] {
  const ids = ports.map(() => randomBytes(20).toString('hex'));
  const bootMaster = Math.min(1, ports.length - 1);
  return ports.map((port, index) => {
    const id = ids[index] ?? '';
    return { id, port, shard, bootMaster: index === bootMaster ? undefined : ids[bootMaster] };
  });
}

/** The file in which a node keeps what it knows of the Cluster, in the format of `CLUSTER NODES`. */
function nodesFile(members: Member[], self: Member, shards: number): string {
  const lines = members.map((member) => {
    const { id, port, shard, bootMaster } = member;
    const role = bootMaster ? 'slave' : 'master';
    const flags = member === self ? `myself,${role}` : role;
    const from = Math.floor((shard * SLOT_COUNT) / shards);
    const to = Math.floor(((shard + 1) * SLOT_COUNT) / shards) - 1;
    const slots = bootMaster ? '' : ` ${from}-${to}`;
    const address = `${loopback}:${port}@${port + busOffset}`;
    return `${id} ${address} ${flags} ${bootMaster ?? '-'} 0 0 ${shard + 1} connected${slots}`;
  });
  return `${lines.join('\n')}\nvars currentEpoch ${shards} lastVoteEpoch 0\n`;
}
