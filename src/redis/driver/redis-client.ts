import type { Cluster, Redis } from 'ioredis';

/** The client of a connection: ioredis' `Cluster` where the connection is one to a Cluster, its `Redis` otherwise. */
export type RedisClient = Redis | Cluster;

export function isCluster(client: RedisClient): client is Cluster {
  return client.isCluster;
}
