import { Cluster, Redis, type ClusterOptions, type DNSLookupFunction, type RedisOptions } from 'ioredis';
import { RedisUnavailableError } from '../errors/errors.js';
import type { DriverOptions } from '../options/redis-options.js';
import type { HostAndPort, ResolvedRedisOptions } from '../options/resolved-options.js';
import { announceListeners, LISTENER } from './announce-listeners.js';
import { announceRedirections } from './announce-redirections.js';
import { reconnectDelay } from './backoff.js';
import { closeWhenStalled } from './close-when-stalled.js';
import { coalesceWrites } from './coalesce-writes.js';
import { clientDefaults, clusterDefaults, dedicatedDefaults, nodeDefaults } from './driver-defaults.js';
import { prepareDescendants } from './descendants.js';
import { endOnce } from './end-once.js';
import { ignoreAsking } from './ignore-asking.js';
import { rejectUnanswered, rejectUnsentAgain } from './in-flight.js';
import { rejectWhileLoading } from './reject-while-loading.js';
import { retryRefusedDial } from './retry-refused-dial.js';
import { explainErrors } from './explain-errors.js';
import { prepareSentinels } from './sentinels.js';
import { clusterInternals } from './internals.js';
import { hideClientSecrets } from './hide-client-secrets.js';
import type { RedisClient } from './redis-client.js';

/** What a connection to Redis is for; shown as a suffix of its name in `CLIENT LIST`. */
export type ClientRole = 'client' | 'subscriber' | 'dedicated' | 'listener' | 'library';

type SharedRole = Extract<ClientRole, 'client' | 'subscriber' | 'library'>;

/** Null: commands wait for as long as Redis is away. */
type ClientOptions = Omit<ResolvedRedisOptions, 'maxRetriesPerRequest'> & {
  readonly maxRetriesPerRequest: number | null;
};

/** Replies keep the shapes of RESP2 whatever the protocol: `RedisClient` is typed so. */
type DriverSettings = Omit<RedisOptions, 'replyMapping'>;

/** Makes a client for the shared connection or the subscriber. Nothing is opened before it is connected or used. */
export function createClient(options: ClientOptions, role: SharedRole): RedisClient {
  return options.target.kind === 'cluster' ? createCluster(options, role) : createRedis(options, role);
}

/**
 * Makes a client for a library that blocks on copies of it, and takes any error of a command for the failure of its own work. While Redis
 * is away, commands wait; those whose reply was lost are sent again: the library has to make sure that this does no harm.
 */
export function createLibraryClient(options: ResolvedRedisOptions, library: string): RedisClient {
  const clientName = `${options.clientName}:${library}`;
  const patient = { ...options, clientName, maxRetriesPerRequest: null, commandTimeout: undefined };
  return createClient(patient, 'library');
}

/**
 * Makes a client that never connects again by itself: what a connection holds (watched keys, a blocking command) is gone with it,
 * and a transaction that went on over a new connection would no longer be guarded. On a Cluster, `node` says which.
 */
export function createDedicated(options: ResolvedRedisOptions, node?: HostAndPort): Redis {
  const client = new Redis({
    ...dedicatedDefaults,
    ...options.driver,
    ...connectionOptions(options, 'dedicated'),
    ...(node ?? targetOptions(options)),
    enableAutoPipelining: false,
    retryStrategy: () => null,
  });
  closeWhenStalled(client, options);
  return hideClientSecrets(explainErrors(rejectUnanswered(prepareSentinels(client))));
}

/**
 * Makes a client that listens to one server, and connects to it again for ever. It speaks RESP2, since the driver drops what a server
 * pushes in RESP3 beside messages. What it had subscribed to is gone with a connection, and a command while there is none fails at once:
 * who listens must know of each gap. On a Cluster, `node` says which.
 */
export function createListener(options: ResolvedRedisOptions, node?: HostAndPort): Redis {
  const client = new Redis({
    ...clientDefaults(),
    ...options.driver,
    ...connectionOptions(options, 'listener'),
    ...(node ?? targetOptions(options)),
    protocol: 2,
    autoResubscribe: false,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    retryStrategy: (times) => reconnectDelay(times, options),
  });
  closeWhenStalled(client, options);
  return hideClientSecrets(explainErrors(rejectUnanswered(retryRefusedDial(prepareSentinels(client)))));
}

function createRedis(options: ClientOptions, role: SharedRole): Redis {
  const { maxRetriesPerRequest } = options;
  const client = new Redis({
    ...clientDefaults(),
    ...options.driver,
    ...connectionOptions(options, role),
    ...targetOptions(options),
    maxRetriesPerRequest,
    retryStrategy: (times) => reconnectDelay(times, options),
  });
  prepareCopies(client, options, role);
  return prepareShared(prepareSentinels(client), options, role);
}

/** What the application duplicates, for a library that wants a client of its own, keeps the same promises as the original. */
function prepareCopies(client: Redis, options: ClientOptions, role: SharedRole): void {
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (override) => {
    const copy = duplicate({ autoResubscribe: true, ...override } as typeof override);
    closeWhenStalled(copy, options);
    return settleUnanswered(retryRefusedDial(prepareSentinels(copy)), role);
  };
}

function createCluster(options: ClientOptions, role: SharedRole): Cluster {
  const { target, maxRetriesPerRequest, tls } = options;
  if (target.kind !== 'cluster') throw new TypeError(`A ${target.kind} target is no Cluster`);
  const settings = {
    ...clusterDefaults,
    ...options.driver,
    lazyConnect: true,
    redisOptions: { ...nodeDefaults, ...options.driver, ...connectionOptions(options, role) },
    // Commands that wait for the Cluster are not counted by the driver at all: they would wait for ever.
    clusterRetryStrategy: (times: number) => {
      const givesUp = maxRetriesPerRequest !== null && times % (maxRetriesPerRequest + 1) === 0;
      if (givesUp) clusterInternals(cluster).flushQueue(unreachable());
      return reconnectDelay(times, options);
    },
    ...(role === 'subscriber' && { shardedSubscribers: true }),
    // The driver counts a node that is away as a redirection, and would give up before a replica has taken over.
    ...(role === 'library' && { maxRedirections: Infinity }),
    ...(target.natMap && { natMap: target.natMap }),
    // Names must stay names for the certificates to match; the driver would dial, and expect, addresses.
    ...(tls && { dnsLookup: keepName }),
  };
  const cluster: Cluster = new Cluster([...target.nodes], settings);
  cluster.duplicate = (_nodes, override) => createCluster(withOverride(options, override), role);
  cluster.on('+node', (node: Redis) =>
    reportErrorsOfCopies(prepareShared(ignoreAsking(node), options, role), cluster),
  );
  cluster.on(LISTENER, hideClientSecrets);
  announceListeners(cluster, options);
  announceRedirections(cluster);
  return hideClientSecrets(endOnce(cluster));
}

function withOverride(options: ClientOptions, override: ClusterOptions | undefined): ClientOptions {
  const overrides: RedisOptions = { ...override, ...override?.redisOptions };
  const { maxRetriesPerRequest = options.maxRetriesPerRequest, connectionName: clientName } = overrides;
  const driver = { ...options.driver, ...overrides } as DriverOptions;
  return { ...options, driver, maxRetriesPerRequest, ...(clientName !== undefined && { clientName }) };
}

/** The Cluster reads its slots with a copy of a node's client, and drops the errors that tell why it cannot. */
function reportErrorsOfCopies(node: Redis, cluster: Cluster): void {
  prepareDescendants(node, (copy) => copy.on('error', (error: unknown) => cluster.emit('node error', error)));
}

function prepareShared(client: Redis, options: ClientOptions, role: SharedRole): Redis {
  const { maxRetriesPerRequest, reconnect } = options;
  closeWhenStalled(client, options);
  if (maxRetriesPerRequest !== null) rejectWhileLoading(client, { maxRetriesPerRequest, reconnect });
  return hideClientSecrets(explainErrors(coalesceWrites(settleUnanswered(retryRefusedDial(client), role))));
}

/** A library's are sent again, by the driver, if there is a next connection. */
function settleUnanswered(client: Redis, role: SharedRole): Redis {
  return role === 'library' ? rejectUnsentAgain(client) : rejectUnanswered(client);
}

const keepName: DNSLookupFunction = (name, callback) => callback(null, name);

function unreachable(): RedisUnavailableError {
  return new RedisUnavailableError('No node of the Cluster answers; giving up on the commands that wait');
}

function connectionOptions(options: ClientOptions, role: ClientRole): DriverSettings {
  const { username, password, db, tls, connectTimeout, commandTimeout, clientName } = options;
  return {
    lazyConnect: true,
    connectionName: role === 'client' || role === 'library' ? clientName : `${clientName}:${role}`,
    connectTimeout,
    db,
    // A command whose reply was lost may have been executed: an INCR must not be sent twice behind its caller's back.
    autoResendUnfulfilledCommands: role === 'library',
    ...(commandTimeout !== undefined && role === 'client' && { commandTimeout }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls }),
  };
}

function targetOptions({ target, tls }: ClientOptions): DriverSettings {
  switch (target.kind) {
    case 'standalone':
      return { host: target.host, port: target.port };
    case 'socket':
      return { path: target.path };
    case 'sentinel':
      return {
        sentinels: [...target.nodes],
        name: target.masterName,
        sentinelRetryStrategy: () => null,
        ...(target.username !== undefined && { sentinelUsername: target.username }),
        ...(target.password !== undefined && { sentinelPassword: target.password }),
        // The driver has a switch for each leg; here TLS is for all of them or none.
        ...(tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
      };
    case 'cluster':
      throw new TypeError('A node of the Cluster is needed');
  }
}
