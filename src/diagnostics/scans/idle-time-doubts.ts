import { RedisUnavailableError, type RedisConnection } from '../../redis/index.js';
import { Info, orRedisError } from '../../redis/shared.js';
import { IdleTimeUnavailableError } from './idle-time-unavailable-error.js';
import { noIdleTime } from './idle-time.js';
import { nodeOf } from './key-scan.js';

/** Why a key may have been used later than its server knows. */
export interface IdleTimeDoubt {
  readonly reason: 'replication' | 'replica reads' | 'persistence';
  readonly message: string;
}

interface Node {
  readonly node: string;
  readonly info: Info;
}

/** A fork of the server: as long as there is one, the server does not note that a key is used, to have less memory copied. */
const FORKS = ['rdb_bgsave_in_progress', 'aof_rewrite_in_progress', 'module_fork_in_progress'];

/** How long the last ones took, in seconds; -1 where there was none. */
const FORK_TIMES = ['rdb_last_bgsave_time_sec', 'aof_last_rewrite_time_sec'];

/**
 * Asks each master whether it knows of all uses of its keys.
 *
 * @param idleFor milliseconds
 * @returns none where nothing speaks against the idle times
 * @throws IdleTimeUnavailableError under an LFU policy; RedisError
 */
export async function idleTimeDoubts(
  connection: RedisConnection,
  idleFor: number,
): Promise<readonly IdleTimeDoubt[]> {
  const nodes = await nodesOf(connection);
  const saving = nodes.filter(isSaving).map(({ node }) => savingDoubt(node));
  return [...doubtsOf(connection, nodes, idleFor), ...saving];
}

/**
 * Asks each master before all keys are walked through.
 *
 * @param by whether doubts matter
 * @throws IdleTimeUnavailableError under an LFU policy, and where there is a doubt; RedisError, one that is `retryable` while a server saves
 */
export async function checkIdleTimes(
  connection: RedisConnection,
  { by, bound }: { readonly by: 'idle' | 'trusted idle'; readonly bound: number },
): Promise<void> {
  const nodes = await nodesOf(connection);
  const [doubt] = by === 'idle' ? doubtsOf(connection, nodes, bound) : [];
  if (doubt) throw notTrusted(doubt);
  const saving = nodes.find(isSaving);
  if (saving) throw stillSaving(saving.node);
}

export function notTrusted({ reason, message }: IdleTimeDoubt): IdleTimeUnavailableError {
  const remedy = 'Use olderThan for entries of the cache; or trustIdleTimes: true, if you know better';
  return new IdleTimeUnavailableError(`${message} ${remedy}`, { reason });
}

/** Of a server that has, or had, replicas, or was one. */
export function promotedDoubt(node: string): IdleTimeDoubt {
  return {
    reason: 'replication',
    message: `${node}: it has taken over from another server, or may have, since there was replication, and knows nothing of what was read from that one: keys that are read all the time may look idle.`,
  };
}

/** Passes without anybody's doing: it is waited for. */
export function stillSaving(node: string): RedisUnavailableError {
  return new RedisUnavailableError(savingDoubt(node).message);
}

/** @throws IdleTimeUnavailableError under an LFU policy; RedisError */
async function nodesOf(connection: RedisConnection): Promise<readonly Node[]> {
  const asked = connection.masters().map(async (master) => ({
    node: nodeOf(connection, master),
    info: new Info(await orRedisError(master.info())),
  }));
  const nodes = await Promise.all(asked);
  for (const { info } of nodes) {
    const policy = info.text('maxmemory_policy');
    if (policy?.endsWith('lfu')) throw noIdleTime(`the policy ${policy}`);
  }
  return nodes;
}

function doubtsOf(
  connection: RedisConnection,
  nodes: readonly Node[],
  idleFor: number,
): readonly IdleTimeDoubt[] {
  const doubts = nodes.flatMap((node) => [replicationDoubt(node), persistenceDoubt(node, idleFor)]);
  return [replicaReadsDoubt(connection), ...doubts].filter((doubt) => doubt !== undefined);
}

function replicationDoubt({ node, info }: Node): IdleTimeDoubt | undefined {
  if (info.text('role') !== 'master')
    return {
      reason: 'replication',
      message: `${node}: it is a replica, and knows nothing of what is read from its master: keys that are read all the time may look idle.`,
    };
  // -1 of a server that has taken over too, once it had no replicas for as long as repl-backlog-ttl; its offset stays. A server with replicas that
  // never was one itself looks the same, and is not trusted either; nor is one that does not tell.
  const isAlone = info.number('second_repl_offset') === -1 && info.number('master_repl_offset') === 0;
  return isAlone ? undefined : promotedDoubt(node);
}

/** Right after such a fork, a key that is used all the time looks as if it had been idle for as long. */
function persistenceDoubt({ node, info }: Node, idleFor: number): IdleTimeDoubt | undefined {
  const longest = Math.max(...FORK_TIMES.map((field) => info.number(field) ?? -1));
  // Both are counted in whole seconds.
  if (longest < 0 || idleFor > (longest + 1) * 1_000) return undefined;
  return {
    reason: 'persistence',
    message: `${node}: its last snapshot, or rewrite of the append-only file, took about ${longest} s, in which it did not note that keys were used: idleFor has to be longer.`,
  };
}

function isSaving({ info }: Node): boolean {
  return FORKS.some((field) => info.isSet(field));
}

function savingDoubt(node: string): IdleTimeDoubt {
  return {
    reason: 'persistence',
    message: `${node}: it writes a snapshot, or its append-only file anew, and does not note meanwhile that keys are used: keys that are may look idle.`,
  };
}

/** Only what this connection does is known: other applications may read from replicas too. */
function replicaReadsDoubt({ client, name }: RedisConnection): IdleTimeDoubt | undefined {
  const { scaleReads = 'master' } = 'scaleReads' in client.options ? client.options : {};
  if (scaleReads === 'master') return undefined;
  return {
    reason: 'replica reads',
    message: `The connection '${name}' reads from replicas (scaleReads), and masters learn nothing of that: keys that are read all the time may look idle.`,
  };
}
