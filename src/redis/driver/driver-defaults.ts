import type { ClusterOptions, RedisOptions } from 'ioredis';

/** How often, in milliseconds, a reply that says the server is a replica leads to a new connection. */
const READ_ONLY_RECONNECT_INTERVAL = { shortest: 1_000, longest: 60_000 };

/**
 * Where rednest's defaults differ from those of ioredis, for every shared connection; any of them may be set under `driver`.
 *
 * - `disconnectTimeout: 100`: the driver keeps a socket that does not close for 2 s, and with it the process.
 * - `maxLoadingRetryTime: 1000`: a server that loads its data is asked again after 10 s at most.
 */
export const nodeDefaults = { disconnectTimeout: 100, maxLoadingRetryTime: 1_000 } satisfies RedisOptions;

/**
 * And for a client of a single server or of Sentinels:
 *
 * - `reconnectOnError`: connect anew on `READONLY`. After a failover the name or the Sentinels lead to the new master, while the old
 *   connection would go on refusing writes. At most once a second, so that a server that is read-only for good is not stormed.
 *   The command itself is not sent again: the driver would do so outside of the transaction that it may belong to.
 * - `failoverDetector: true`: Sentinels tell of a failover, so that a master that hangs without closing its connections is left.
 */
export function clientDefaults() {
  return {
    ...nodeDefaults,
    reconnectOnError: reconnectOnReadOnly(),
    failoverDetector: true,
  } satisfies RedisOptions;
}

/**
 * And for a client of a Cluster:
 *
 * - `slotsRefreshTimeout: 2000`: the driver's 1 s is missed by a TLS handshake with a busy node.
 * - `retryDelayOnMoved: 10`: during a failover a `MOVED` may name the node that has just died.
 */
export const clusterDefaults = {
  slotsRefreshTimeout: 2_000,
  retryDelayOnMoved: 10,
} satisfies ClusterOptions;

/**
 * And for dedicated connections, which may block for as long as they like:
 *
 * - `blockingTimeout`, `blockingTimeoutGrace`: a blocking command with a timeout of its own that is not answered 5 s after it is given
 *   up, since the other end is gone. One without a timeout waits on.
 */
export const dedicatedDefaults = {
  disconnectTimeout: nodeDefaults.disconnectTimeout,
  blockingTimeout: 2 ** 31 - 1,
  blockingTimeoutGrace: 5_000,
} satisfies RedisOptions;

function reconnectOnReadOnly(): (error: Error) => boolean {
  let interval = READ_ONLY_RECONNECT_INTERVAL.shortest;
  let last = -Infinity;
  return (error) => {
    if (!error.message.startsWith('READONLY')) return false;
    const sinceLast = performance.now() - last;
    if (sinceLast < interval) return false;
    // It did not help the last time: wait longer before the next.
    const { shortest, longest } = READ_ONLY_RECONNECT_INTERVAL;
    interval = sinceLast < 2 * interval ? Math.min(2 * interval, longest) : shortest;
    last = performance.now();
    return true;
  };
}
