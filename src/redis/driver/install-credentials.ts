import { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import type { RedisCredentials } from '../options/redis-options.js';
import type { CredentialsSource } from './credentials-source.js';
import { clusterInternals, redisInternals } from './internals.js';
import { isCluster, type RedisClient } from './redis-client.js';

/**
 * Makes a client ask for its credentials before every connect. The driver reads static ones only, so its connector is wrapped: the
 * socket is dialled when the answer is there. Where there is none, the attempt fails as any other does, and is repeated; it never
 * goes on without credentials, as the default user.
 */
export function installCredentials<T extends RedisClient>(client: T, source: CredentialsSource): T {
  if (!isCluster(client)) {
    askBeforeDialling(client, source);
    return client;
  }
  const internals = clusterInternals(client);
  const resolveNodes = internals.resolveStartupNodeHostnames.bind(client);
  // The first step of every connect of a Cluster, before it copies the credentials to the connection that reads the slots.
  internals.resolveStartupNodeHostnames = async () => {
    await source.ask();
    return resolveNodes();
  };
  client.on('+node', (node: Redis) => askBeforeDialling(node, source));
  return client;
}

function askBeforeDialling(client: Redis, source: CredentialsSource): void {
  const internals = redisInternals(client);
  const { connector } = internals;
  const dial = connector.connect.bind(connector);
  followSource(client, source);
  connector.connect = async (emit) => {
    try {
      const credentials = await source.ask();
      if (internals.condition) internals.condition.auth = authArguments(credentials);
    } catch (error) {
      connector.firstError = error as Error;
      return new Socket().destroy();
    }
    return internals.manuallyClosing ? new Socket().destroy() : dial(emit);
  };
}

/** The driver duplicates a client by copying its options: the copy must get today's credentials. */
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

/** Sends new credentials on connections that are open (`AUTH`); one that cannot take them now has them at its next connect. */
export async function authenticateAgain(client: RedisClient, credentials: RedisCredentials): Promise<void> {
  const nodes = isCluster(client) ? client.nodes() : [client];
  await Promise.all(
    nodes
      .filter((node) => node.status === 'ready' && node.mode === 'normal')
      .map((node) => authenticate(node, credentials)),
  );
}

async function authenticate(node: Redis, { username, password }: RedisCredentials): Promise<void> {
  await (username === undefined ? node.auth(password) : node.auth(username, password));
}
