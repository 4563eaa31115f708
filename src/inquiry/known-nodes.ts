import type { Cluster, Redis } from 'ioredis';
import { RedisUnavailableError, type RedisConnection } from '../redis/index.js';
import { nodeName, SLOT_COUNT } from '../redis/shared.js';

export interface KnownNode {
  /** `host:port` of a Cluster's master; the name of the connection elsewhere. */
  readonly name: string;
  /** Undefined where there is none to it now. */
  readonly client: Redis | undefined;
}

/** The masters behind a connection, those too that are away. @throws RedisUnavailableError where a Cluster's are not known */
export function knownNodes(connection: RedisConnection): KnownNode[] {
  if (connection.topology !== 'cluster')
    return connection.masters().map((client) => ({ name: connection.name, client }));
  try {
    return connection.masters().map((client) => ({ name: nodeName(client.options), client }));
  } catch (error) {
    const owners = ownersOf(connection);
    if (!(error instanceof RedisUnavailableError) || owners.size === 0) throw error;
    const connected = (connection.client as Cluster).nodes('master');
    const clients = new Map(connected.map((client) => [nodeName(client.options), client]));
    return Array.from(owners, (name) => ({ name, client: clients.get(name) }));
  }
}

function ownersOf(connection: RedisConnection): Set<string> {
  const owners = new Set<string>();
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const owner = connection.masterOf(slot);
    if (owner !== undefined) owners.add(owner);
  }
  return owners;
}
