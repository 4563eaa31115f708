import type { Cluster } from 'ioredis';
import { clusterInternals } from './internals.js';

/** Event of a Cluster's client: it is about to read the slots anew. What a `MOVED` has told is in its slots already. */
export const REFRESHING = 'rednest:refreshing';

/**
 * The driver notes a redirection in its slots, sends the command again, and reads the slots anew: only when that is done it emits
 * `refresh`. Has it emit {@link REFRESHING} before, so that the redirection is known of earlier than the reply that it leads to.
 */
export function announceRedirections(cluster: Cluster): void {
  const internals = clusterInternals(cluster);
  const refresh = internals.refreshSlotsCache.bind(cluster);
  internals.refreshSlotsCache = (callback) => {
    if (!internals.isRefreshing) cluster.emit(REFRESHING);
    refresh(callback);
  };
}

/** The master of each slot, as `host:port`. */
export function slotOwners(cluster: Cluster): (string | undefined)[] {
  return clusterInternals(cluster).slots.map((nodes) => nodes[0]);
}
