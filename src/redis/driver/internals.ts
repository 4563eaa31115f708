import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { ChainableCommander, Cluster, Redis } from 'ioredis';

/** A socket with the handle below it, on which Node's own timeouts look, too. */
export interface SocketWithHandle extends Socket {
  readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null;
}

interface SentCommand {
  command: { name: string; args: unknown[]; reject(error: Error): void };
}

/**
 * What rednest uses of ioredis beyond its documented interface, all of it in one place. The tests run
 * with the oldest supported version, and with the newest.
 */
interface RedisInternals {
  connector: {
    connect(emit: (event: string, error: Error) => void): Promise<Socket>;
    firstError?: Error | undefined;
    stream?: Socket | undefined;
    /** Of a connection by way of Sentinels. */
    connectToSentinel?(...parameters: unknown[]): Redis;
    failoverDetector?: { cleanup(): void } | null;
  };
  condition: { select: number; auth: string | [string, string] | undefined } | null;
  stream: SocketWithHandle | undefined;
  commandQueue: { shift(): SentCommand | undefined; peekFront(): SentCommand | undefined };
  /** What was sent on the connection before, and is sent again on the next. */
  prevCommandQueue?: { shift(): SentCommand | undefined } | null;
  /** Set by `disconnect()` until the socket is closed. */
  manuallyClosing: boolean;
  flushQueue(error: Error, options?: { offlineQueue?: boolean; commandQueue?: boolean }): void;
  setStatus(status: 'end'): void;
}

/** What is done with a command that a node has refused, or lost. */
interface RefusalHandlers {
  readonly moved: (slot: number | string, node: string) => void;
  readonly ask: (slot: number | string, node: string) => void;
  /** Tries any node, or the next connection. */
  readonly connectionClosed: () => void;
}

interface ClusterInternals {
  slots: string[][];
  /** Set by `disconnect()` and `quit()` until it is connected again. */
  readonly manuallyClosing: boolean;
  /** Emits `drain` for each connection that closes when it has no node. */
  readonly connectionPool: EventEmitter;
  handleError(error: Error, redirections: object, handlers: RefusalHandlers): void;
  /** Whether the slots are being read. */
  isRefreshing: boolean;
  /** The connection that listens for messages. */
  subscriber: { subscriber: Redis | null; onSubscriberEnd: () => void };
  /** Those that listen for messages of shards, by node. */
  shardedSubscribers?: { shardedSubscribers: Map<string, { getInstance(): Redis }> };
  resolveStartupNodeHostnames(): Promise<unknown[]>;
  refreshSlotsCache(callback?: (error?: Error) => void): void;
  flushQueue(error: Error): void;
  /** Settles pipelines that wait for the first slots. */
  invokeReadyDelayedCallbacks(error: Error): void;
  setStatus(status: 'close' | 'end'): void;
}

/** A command that waits in a pipeline or transaction. */
export interface QueuedCommand {
  readonly name: string;
  /** Without lists among them. */
  readonly args: readonly (string | Buffer | number)[];
  getKeys(): (string | Buffer)[];
}

/** What was queued on a pipeline or transaction, `MULTI` included; undefined for what is neither. */
export function queuedCommands(pipeline: ChainableCommander): readonly QueuedCommand[] | undefined {
  const { _queue: queue } = Object(pipeline) as { _queue?: readonly QueuedCommand[] };
  return queue;
}

export function redisInternals(client: Redis): RedisInternals {
  return client as unknown as RedisInternals;
}

export function clusterInternals(client: Cluster): ClusterInternals {
  return client as unknown as ClusterInternals;
}

/** Reads the slots of a Cluster anew. Resolves when that is done, or has failed. */
export function refreshSlots(cluster: Cluster): Promise<void> {
  return new Promise((resolve) => clusterInternals(cluster).refreshSlotsCache(() => resolve()));
}
