import type { RedisClient, RedisConnection } from '../../redis/index.js';
import { checkConnection, resolveAdapterOptions } from '../adapter-options.js';

/** Name of the client in `CLIENT LIST`: `rednest:jobs:bullmq`. */
const LIBRARY = 'bullmq';

const OPTIONS = { prefix: true, whenUnavailable: true } as const satisfies Record<
  keyof BullConnectionOptions,
  true
>;

/** What stands in braces is what a Cluster chooses the slot by. */
const HASH_TAG = /\{[^}]+\}/;

/** Options of {@link bullConnection}. */
export interface BullConnectionOptions {
  /**
   * First part of all keys. On a Cluster one without a hash tag is put in braces, since a queue's keys must be in one slot: those of all queues
   * then are. `registerQueue({ name: 'mails', prefix: '{mails}' })` gives a queue a slot, and so perhaps a node, of its own.
   *
   * @default 'bull'
   */
  prefix?: string;
  /**
   * What commands do while Redis is away. They wait until it is back (`wait`), which workers need; or they fail as those of
   * `connection.client` do (`fail`), for queues that are only added to, in an HTTP handler that has to answer. BullMQ refuses to start a worker with `fail`.
   *
   * @default 'wait'
   */
  whenUnavailable?: 'wait' | 'fail';
}

/** What BullMQ's queues, workers, queue events and flow producers take among their options. */
export interface BullConnection {
  readonly connection: RedisClient;
  readonly prefix: string;
}

/**
 * Has BullMQ work on a named connection, with its address, TLS, Sentinels or Cluster, and credentials. BullMQ gets a client of its own,
 * which is closed with the connection, after the queues and workers.
 *
 * A command whose reply was lost is sent again: a worker goes on by itself, and a job is not taken for failed because Redis was away. A
 * job that was being added may so be added twice, unless it has a `jobId`.
 *
 * @throws AdapterConfigurationError when the connection or an option is wrong; RedisClosedError at shutdown
 * @example
 * BullModule.forRootAsync({
 *   inject: [getRedisConnectionToken('jobs')],
 *   useFactory: (connection: RedisConnection) => bullConnection(connection),
 * });
 */
export function bullConnection(
  connection: RedisConnection,
  options: BullConnectionOptions = {},
): BullConnection {
  checkConnection(bullConnection.name, connection);
  const isCluster = connection.topology === 'cluster';
  return resolveAdapterOptions(bullConnection.name, { options, names: OPTIONS }, (settings) => {
    const prefix = settings.text('prefix') ?? 'bull';
    const isPatient = settings.choice('whenUnavailable', ['wait', 'fail']) !== 'fail';
    return {
      connection: isPatient ? connection.clientFor(LIBRARY) : connection.client,
      prefix: isCluster && !HASH_TAG.test(prefix) ? `{${prefix}}` : prefix,
    };
  });
}
