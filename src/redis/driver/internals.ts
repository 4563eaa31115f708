import type { Socket } from 'node:net';
import type { Cluster, Redis } from 'ioredis';

/**
 * What rednest uses of ioredis beyond its documented interface, all of it in one place. The same in ioredis 5.11 and 6; the tests
 * run with both.
 */
interface RedisInternals {
  connector: { connect(emit: unknown): Promise<Socket>; firstError?: Error };
  condition: { select: number; auth: string | [string, string] | undefined } | null;
  stream: Socket | undefined;
  commandQueue: { length: number };
  /** Set by `disconnect()` until the socket is closed. */
  manuallyClosing: boolean;
  flushQueue(error: Error, options?: { offlineQueue?: boolean; commandQueue?: boolean }): void;
  setStatus(status: 'end'): void;
}

interface ClusterInternals {
  slots: string[][];
  resolveStartupNodeHostnames(): Promise<unknown[]>;
  refreshSlotsCache(callback?: (error?: Error) => void): void;
  flushQueue(error: Error): void;
  /** Settles pipelines that wait for the first slots. */
  invokeReadyDelayedCallbacks(error: Error): void;
  setStatus(status: 'end'): void;
}

export function redisInternals(client: Redis): RedisInternals {
  return client as unknown as RedisInternals;
}

export function clusterInternals(client: Cluster): ClusterInternals {
  return client as unknown as ClusterInternals;
}
