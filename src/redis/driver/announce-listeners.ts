import type { Cluster, Redis } from 'ioredis';
import type { ResolvedRedisOptions } from '../options/resolved-options.js';
import { reconnectDelay } from './backoff.js';
import { clusterInternals } from './internals.js';

/** Event of a Cluster's client: the driver has made a connection to listen for messages on, and has not dialled it yet. */
export const LISTENER = 'rednest:listener';

/**
 * The client of a Cluster listens for messages on connections of its own, which no `+node` tells of. Has it announce them with a
 * {@link LISTENER} event, so that they can be prepared as nodes are.
 *
 * The driver replaces a lost listener at once, and so one that is refused again and again, hundreds of times a second: here it waits
 * as long as any connection does.
 */
export function announceListeners(cluster: Cluster, options: Pick<ResolvedRedisOptions, 'reconnect'>): void {
  const { subscriber, shardedSubscribers } = clusterInternals(cluster);
  const replaceLost = subscriber.onSubscriberEnd;
  let listener: Redis | null = null;
  let attempts = 0;
  Object.defineProperty(subscriber, 'subscriber', {
    get: () => listener,
    set: (next: Redis | null) => {
      listener = next;
      if (!next) return;
      next.once('ready', () => (attempts = 0));
      // The driver disconnects the last one that worked at each attempt; on a closed socket that leaves a timer behind.
      next.once('end', () => (next.disconnect = () => {}));
      cluster.emit(LISTENER, next);
    },
  });
  subscriber.onSubscriberEnd = () => {
    const lost = listener;
    const replace = () => listener === lost && replaceLost();
    setTimeout(replace, reconnectDelay(++attempts, options)).unref();
  };
  if (shardedSubscribers) announceShards(cluster, shardedSubscribers.shardedSubscribers);
}

function announceShards(cluster: Cluster, shards: Map<string, { getInstance(): Redis }>): void {
  const add = shards.set.bind(shards);
  shards.set = (node, shard) => {
    cluster.emit(LISTENER, shard.getInstance());
    return add(node, shard);
  };
}
