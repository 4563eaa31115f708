import type { RedisConnection } from '../../redis/index.js';
import { Info, orRedisError } from '../../redis/shared.js';
import { IdleTimeUnavailableError } from './idle-time-unavailable-error.js';
import { nodeOf } from './key-scan.js';

/** Why a key may have been used later than its server knows. */
export interface IdleTimeDoubt {
  readonly reason: 'replication' | 'replica reads';
  readonly message: string;
}

/**
 * Asks each master whether the reads of its keys have all been its own: reads are not replicated.
 *
 * @returns none where nothing speaks against the idle times
 * @throws RedisError
 */
export async function idleTimeDoubts(connection: RedisConnection): Promise<readonly IdleTimeDoubt[]> {
  const asked = connection.masters().map(async (master) => {
    const replication = new Info(await orRedisError(master.info('replication')));
    return replicationDoubt(nodeOf(connection, master), replication);
  });
  const doubts = [replicaReadsDoubt(connection), ...(await Promise.all(asked))];
  return doubts.filter((doubt) => doubt !== undefined);
}

/** @throws IdleTimeUnavailableError where there is a doubt; RedisError */
export async function checkIdleTimeTrusted(connection: RedisConnection): Promise<void> {
  const [doubt] = await idleTimeDoubts(connection);
  if (doubt) throw notTrusted(doubt);
}

export function notTrusted({ reason, message }: IdleTimeDoubt): IdleTimeUnavailableError {
  const remedy = 'Use olderThan for entries of the cache; or trustIdleTimes: true, if you know better';
  return new IdleTimeUnavailableError(`${message} ${remedy}`, { reason });
}

/** Of a server that was a replica before, or was started with the snapshot of one that had replicas. */
export function promotedDoubt(node: string): IdleTimeDoubt {
  return {
    reason: 'replication',
    message: `${node}: it has taken over from another server, or was started with the data of one, and knows nothing of what was read from that one: keys that are read all the time may look idle.`,
  };
}

function replicationDoubt(node: string, replication: Info): IdleTimeDoubt | undefined {
  if (replication.text('role') !== 'master')
    return {
      reason: 'replication',
      message: `${node}: it is a replica, and knows nothing of what is read from its master: keys that are read all the time may look idle.`,
    };
  // A server that has been nobody's replica, and was not started with the data of one that had replicas, has -1. One that does not tell is not trusted.
  return replication.number('second_repl_offset') === -1 ? undefined : promotedDoubt(node);
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
