import type { Registry } from 'prom-client';
import type { Duration } from '../../redis/index.js';

/** Upper bounds of the buckets of histograms, each greater than the one before. What is above the last is counted, too. */
export interface MetricsBuckets {
  /** Of commands, and of what the cache reads from Redis. @default 0.5 ms to 10 s, in 14 steps */
  commands?: readonly Duration[];
  /** Of what the application does: factories, handlers of events, waits for locks and holds of them. @default 1 ms to 10 min, in 16 steps */
  work?: readonly Duration[];
}

/** What is asked of the servers at a scrape. */
export interface ServerMetricsOptions {
  /** For how long an answer is used, at the next scrapes. @default '5s' */
  cacheFor?: Duration;
}

/** What `RedisMetricsModule.forRoot` takes beside where it answers. */
export interface MetricsRootOptions {
  /**
   * A registry of the application's: the metrics are registered there, and leave it at shutdown; `path` serves it whole. Of prom-client's
   * global one: `register`. @default one of its own
   */
  registry?: Registry;
  /** First part of the name of each metric. @default 'rednest_' */
  prefix?: string;
  /** Labels that each of these metrics has, whatever it tells of. */
  labels?: Readonly<Record<string, string>>;
  /** Upper bounds of the buckets of histograms. */
  buckets?: MetricsBuckets;
  /** Whether prom-client's metrics of the process (processor, memory, event loop) are registered, too. They stay registered. @default false */
  defaultMetrics?: boolean;
  /**
   * Whether each scrape asks the servers for their memory, evictions and clients (`INFO`), and for how long an answer is used. What is asked
   * of the groups of the event bus is used for as long. @default true
   */
  server?: boolean | ServerMetricsOptions;
  /** How long a scrape waits for Redis. What is not there by then is left out. @default '1s' */
  timeout?: Duration;
}
