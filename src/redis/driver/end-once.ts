import type { Cluster } from 'ioredis';
import { clusterInternals } from './internals.js';

/**
 * Has a Cluster's client that was told to disconnect come to its end, and stay there. The driver's own may never emit `end`, or leave it
 * again for the status `close`; commands, and whoever waits for it to end, then wait for ever.
 */
export function endOnce(cluster: Cluster): Cluster {
  openNoMoreNodes(cluster);
  closeOnceForAllNodes(cluster);
  return cluster;
}

/** Told by a late reply of another node, the driver would add that one to those that it has just closed, and wait for it to close. */
function openNoMoreNodes(cluster: Cluster): void {
  const internals = clusterInternals(cluster);
  const handle = internals.handleError.bind(cluster);
  internals.handleError = (error, redirections, handlers) => {
    const follow = (redirect: typeof handlers.moved): typeof redirect => {
      return (slot, node) => (internals.manuallyClosing ? handlers.connectionClosed() : redirect(slot, node));
    };
    const { moved, ask } = handlers;
    handle(error, redirections, { ...handlers, moved: follow(moved), ask: follow(ask) });
  };
}

/** The driver takes each connection that closes after them for the last one once more. */
function closeOnceForAllNodes(cluster: Cluster): void {
  const internals = clusterInternals(cluster);
  const { connectionPool } = internals;
  let hasNodes = false;
  connectionPool.on('+node', () => (hasNodes = true));
  connectionPool.removeAllListeners('drain');
  connectionPool.on('drain', () => {
    if (hasNodes) internals.setStatus('close');
    hasNodes = false;
  });
}
