import type { Registry, RegistryContentType } from 'prom-client';
import type { Duration } from '../../redis/index.js';

/** Upper bounds of the buckets of histograms: durations (`'5ms'`), or milliseconds; each greater than the one before. What is above the last is counted, too. */
export interface RedisMetricsBuckets {
  /** Of commands, and of what the cache reads from Redis. @default 0.5 ms to 10 s, in 14 steps */
  commands?: readonly Duration[];
  /** Of what the application does: factories, handlers of events, waits for locks and holds of them. @default 1 ms to 10 min, in 16 steps */
  work?: readonly Duration[];
}

/** What `RedisMetricsModule.forRoot` takes beside where it answers. */
export interface RedisMetricsRootOptions {
  /**
   * A registry of the application's: the metrics are registered there, and leave it at shutdown; `path` serves it whole. Of prom-client's
   * global one: `register`. It may be one of the format OpenMetrics. @default one of its own
   */
  registry?: Registry<RegistryContentType>;
  /** First part of the name of each metric. @default 'rednest_' */
  prefix?: string;
  /** Labels that each of these metrics has, whatever it tells of. */
  labels?: Readonly<Record<string, string>>;
  /** Upper bounds of the buckets of histograms. */
  buckets?: RedisMetricsBuckets;
  /** Whether prom-client's metrics of the process (processor, memory, event loop) are registered, too. They stay registered. @default false */
  defaultMetrics?: boolean;
  /** Whether scrapes ask the servers for their memory, evictions and clients (`INFO`). @default true */
  server?: boolean;
  /**
   * For how long an answer of Redis is used at the next scrapes, of the servers and of the groups of the event bus; not longer than it is there.
   * @default '5s'
   */
  cacheFor?: Duration;
  /** How long a scrape waits for Redis. What is not there by then is left out. @default '1s' */
  timeout?: Duration;
}
