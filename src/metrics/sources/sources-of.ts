import type { FeatureServices } from '../../discovery/feature-services.js';
import type { RedisConnections } from '../../redis/index.js';
import type { MetricDefinition } from '../exposition/metric.js';
import type { ResolvedMetricsOptions } from '../options/resolve-metrics-options.js';
import { CacheMetrics } from './cache-metrics.js';
import { CommandMetrics } from './command-metrics.js';
import { ConnectionMetrics } from './connection-metrics.js';
import { EncryptionMetrics } from './encryption-metrics.js';
import { EventMetrics } from './event-metrics.js';
import { GroupMetrics } from './group-metrics.js';
import { LockMetrics } from './lock-metrics.js';
import type { MetricSource } from './metric-source.js';
import { OwnEvents } from './own-events.js';
import { ServerMetrics } from './server-metrics.js';

/** Where the metrics of an application come from: its connections, and the modules of rednest that it has. */
export function sourcesOf(
  connections: RedisConnections,
  { buckets, server, cacheFor, timeout }: ResolvedMetricsOptions,
  { caches, locks, events, encryption }: FeatureServices,
): readonly MetricSource[] {
  const own = new OwnEvents(connections);
  const groups = events ? new GroupMetrics(events, own, { cacheFor, timeout }) : undefined;
  const servers = server ? new ServerMetrics(connections, { cacheFor, timeout }) : undefined;
  const sources = [
    new CommandMetrics(connections, buckets.commands),
    new ConnectionMetrics(connections, own),
    caches.length > 0 && new CacheMetrics(caches, own, buckets),
    locks && new LockMetrics(locks, own, buckets.work),
    events && new EventMetrics(events, own, buckets.work),
    groups,
    encryption && new EncryptionMetrics(encryption),
    servers,
    { metrics: [answered(servers, groups)] },
  ];
  return sources.filter((source) => source !== false && source !== undefined);
}

/** What is left out of a scrape is seen by that, and not only by what is missing. */
function answered(servers: ServerMetrics | undefined, groups: GroupMetrics | undefined): MetricDefinition {
  return {
    name: 'scrape_answered',
    help: 'Whether Redis has answered, in time, what this scrape has asked: 0 where that is left out.',
    type: 'gauge',
    aggregator: 'min',
    collect: async () => {
      const [ofServers = [], ofGroups] = await Promise.all([servers?.answered(), groups?.answered()]);
      return ofGroups ? [...ofServers, ofGroups] : ofServers;
    },
  };
}
