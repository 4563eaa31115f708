import type { FeatureServices } from '../../discovery/feature-services.js';
import type { EventBus } from '../../pubsub/index.js';
import type { RedisConnections } from '../../redis/index.js';
import { SharedQuestion } from '../../timing/shared-question.js';
import type { MetricDefinition } from '../exposition/metric.js';
import type { ResolvedMetricsOptions } from '../options/resolve-metrics-options.js';
import { CacheMetrics } from './cache-metrics.js';
import { CommandMetrics } from './command-metrics.js';
import { ConnectionMetrics } from './connection-metrics.js';
import { EncryptionMetrics } from './encryption-metrics.js';
import { EventMetrics, type Groups } from './event-metrics.js';
import { LockMetrics } from './lock-metrics.js';
import type { MetricSource } from './metric-source.js';
import { OwnEvents } from './own-events.js';
import { ServerMetrics, type Asking } from './server-metrics.js';

/** Where the metrics of an application come from: its connections, and the modules of rednest that it has. */
export function sourcesOf(
  connections: RedisConnections,
  { buckets, server, cacheFor, timeout }: ResolvedMetricsOptions,
  { caches, locks, events, encryption }: FeatureServices,
): readonly MetricSource[] {
  const own = new OwnEvents(connections);
  const groups = events && groupsOf(events, { cacheFor, timeout });
  const servers = server ? new ServerMetrics(connections, own, { cacheFor, timeout }) : undefined;
  const sources = [
    new CommandMetrics(connections, buckets.commands),
    new ConnectionMetrics(connections, own),
    caches.length > 0 && new CacheMetrics(caches, own, buckets),
    locks && new LockMetrics(locks, own, buckets.work),
    events && groups && new EventMetrics(events, own, { bounds: buckets.work, groups }),
    encryption && new EncryptionMetrics(encryption),
    servers,
    { metrics: [answered(servers, groups)] },
  ];
  return sources.filter((source) => source !== false && source !== undefined);
}

/** How far the groups of the event bus are, which Redis is asked for at a scrape; not while it is away. */
function groupsOf(events: EventBus, { cacheFor, timeout }: Asking): Groups {
  const question = new SharedQuestion({
    ask: async () => (await events.stats()).groups,
    isOpen: () => events.connection?.state === 'ready',
    keepFor: cacheFor,
  });
  return () => question.answer(timeout);
}

/** What is left out of a scrape is seen by that, and not only by what is missing. */
function answered(servers: ServerMetrics | undefined, groups: Groups | undefined): MetricDefinition {
  return {
    name: 'scrape_answered',
    help: 'Whether Redis has answered, in time, what this scrape has asked: 0 where that is left out.',
    type: 'gauge',
    aggregator: 'min',
    collect: async () => {
      const [ofServers = [], groupsAnswer] = await Promise.all([servers?.answered(), groups?.()]);
      if (!groups) return ofServers;
      return [...ofServers, { labels: { source: 'events' }, value: Number(groupsAnswer !== undefined) }];
    },
  };
}
