import { Socket } from 'node:net';
import type { Cluster, Redis } from 'ioredis';
import { orRedisError } from '../errors/or-redis-error.js';
import type { RedisCredentials } from '../options/redis-options.js';
import { LISTENER } from './announce-listeners.js';
import type { CredentialsSource } from './credentials-source.js';
import { clusterInternals, redisInternals } from './internals.js';
import { isCluster, type RedisClient } from './redis-client.js';

/**
 * Makes a client ask for its credentials before every connect. The driver reads static ones only, so its connector is wrapped: the
 * socket is dialled when the answer is there. Where there is none, the attempt fails as any other does, and is repeated; it never
 * goes on without credentials, as the default user.
 */
export function installCredentials<T extends RedisClient>(client: T, source: CredentialsSource): T {
  if (isCluster(client)) askBeforeResolving(client, source);
  else askBeforeDialling(client, source);
  return client;
}

function askBeforeResolving(cluster: Cluster, source: CredentialsSource): void {
  const internals = clusterInternals(cluster);
  const resolveNodes = internals.resolveStartupNodeHostnames.bind(cluster);
  // The first step of every connect of a Cluster. A failure of it is not told by the driver.
  internals.resolveStartupNodeHostnames = async () => {
    await source.ask().catch((error: unknown) => {
      cluster.emit('error', error);
      throw error;
    });
    return resolveNodes();
  };
  const duplicate = cluster.duplicate.bind(cluster);
  cluster.duplicate = (nodes, override) => installCredentials(duplicate(nodes, override), source);
  for (const event of ['+node', LISTENER])
    cluster.on(event, (client: Redis) => askBeforeDialling(client, source));
}

function askBeforeDialling(client: Redis, source: CredentialsSource): void {
  const internals = redisInternals(client);
  const { connector } = internals;
  const dial = connector.connect.bind(connector);
  const duplicate = client.duplicate.bind(client);
  followSource(client, source);
  client.duplicate = (override) => {
    const copy = duplicate(override);
    const hasOwn = override?.username !== undefined || override?.password !== undefined;
    if (!hasOwn) askBeforeDialling(copy, source);
    return copy;
  };
  connector.connect = async (emit) => {
    try {
      const credentials = await source.ask();
      if (internals.condition) internals.condition.auth = authArguments(credentials);
    } catch (error) {
      // At shutdown nobody waits for an answer any more: there is nothing to tell.
      connector.firstError = source.closed ? undefined : (error as Error);
      return new Socket().destroy();
    }
    return internals.manuallyClosing ? new Socket().destroy() : dial(emit);
  };
}

/** A copy that was made without `lazyConnect` dials before it can be taught to ask: it gets the last answer by its options. */
function followSource(client: Redis, source: CredentialsSource): void {
  for (const name of ['username', 'password'] as const) {
    Object.defineProperty(client.options, name, {
      get: () => source.current?.[name],
      enumerable: true,
      configurable: true,
    });
  }
}

function authArguments({ username, password }: RedisCredentials): string | [string, string] {
  return username === undefined ? password : [username, password];
}

/**
 * Sends new credentials on connections that are open (`AUTH`); one that cannot take them now has them at its next connect.
 *
 * @throws RedisAuthError when they are refused; the connections go on as the user that they were
 */
export async function authenticateAgain(client: RedisClient, credentials: RedisCredentials): Promise<void> {
  const nodes = isCluster(client) ? client.nodes() : [client];
  await Promise.all(
    nodes
      .filter((node) => node.status === 'ready' && node.mode === 'normal')
      .map((node) => authenticate(node, credentials)),
  );
}

async function authenticate(node: Redis, { username, password }: RedisCredentials): Promise<void> {
  await orRedisError(username === undefined ? node.auth(password) : node.auth(username, password));
}
