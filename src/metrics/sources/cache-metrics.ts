import { cacheChannel, type CacheEvents, type CacheService, type CacheStats } from '../../cache/index.js';
import { BoundedSeries } from '../exposition/bounded-series.js';
import { Count } from '../exposition/count.js';
import { DurationHistogram } from '../exposition/duration-histogram.js';
import type { MetricDefinition, Sample } from '../exposition/metric.js';
import type { ResolvedMetricsOptions } from '../options/resolve-metrics-options.js';
import type { MetricSource } from './metric-source.js';
import type { OwnEvents } from './own-events.js';

/** Caches that have series of their own. Their names are in code. */
const MOST_CACHES = 200;

type Figure = readonly [name: string, figure: keyof CacheStats, help: string];

const COUNTERS: readonly Figure[] = [
  ['cache_stale_total', 'staleHits', 'Values that were served though fresh no longer.'],
  ['cache_misses_total', 'misses', 'Reads that found nothing to serve.'],
  ['cache_factory_runs_total', 'factoryRuns', 'Runs of factories.'],
  ['cache_factory_errors_total', 'factoryErrors', 'Runs of factories that have failed.'],
  ['cache_stores_total', 'stores', 'Values that were stored.'],
  ['cache_evictions_total', 'evictions', 'Entries that left the local tier to make room.'],
  ['cache_invalidations_total', 'invalidations', 'Calls that have invalidated something.'],
  ['cache_errors_total', 'errors', 'What has failed, and the cache did without.'],
];

const GAUGES: readonly Figure[] = [
  ['cache_local_entries', 'localEntries', 'Entries of the local tier.'],
  ['cache_local_bytes', 'localBytes', 'Size of the entries of the local tier.'],
  [
    'cache_pending_invalidations',
    'pendingInvalidations',
    'Invalidations that wait for Redis; those of all caches wait together.',
  ],
];

/** Of the caches that are shared: one without a connection has nothing to be cut off from. */
const STATES: readonly Figure[] = [
  ['cache_available', 'available', 'Whether Redis is asked: 0 while it is away, or too slow.'],
  ['cache_coherent', 'coherent', 'Whether the local tier is told of changes.'],
];

/** The caches. What they count anyway is read at a scrape; a hit in the local tier costs nothing for it. */
export class CacheMetrics implements MetricSource {
  readonly listeners: ReadonlyMap<string, (message: unknown) => void>;
  readonly metrics: readonly MetricDefinition[];
  readonly #caches: readonly CacheService[];
  readonly #reads: DurationHistogram;
  readonly #keysRead = new Count();
  readonly #unanswered = new Count();
  readonly #factories: BoundedSeries<DurationHistogram>;

  constructor(
    caches: readonly CacheService[],
    own: OwnEvents,
    { commands, work }: ResolvedMetricsOptions['buckets'],
  ) {
    this.#caches = caches;
    this.#reads = new DurationHistogram(commands);
    this.#factories = new BoundedSeries(() => new DurationHistogram(work), MOST_CACHES);
    this.listeners = new Map([
      [cacheChannel('read'), own.only((event: CacheEvents['read']) => this.#countRead(event))],
      [
        cacheChannel('factory'),
        own.only(({ cache, took }: CacheEvents['factory']) => this.#factories.of(cache).observe(took)),
      ],
    ]);
    this.metrics = [
      this.#hits(),
      ...COUNTERS.map((figure) => this.#figure('counter', figure)),
      ...GAUGES.map((figure) => this.#figure('gauge', figure)),
      ...STATES.map((figure) => this.#state(figure)),
      ...this.#durations(),
    ];
  }

  #countRead({ keys, took, answered }: CacheEvents['read']): void {
    if (!answered) this.#unanswered.value++;
    else {
      this.#keysRead.value += keys;
      this.#reads.observe(took);
    }
  }

  #hits(): MetricDefinition {
    return {
      name: 'cache_hits_total',
      help: 'Values that were found fresh, by the tier that had them.',
      type: 'counter',
      collect: () =>
        this.#each(({ localHits, redisHits }) => [
          { labels: { tier: 'local' }, value: localHits },
          { labels: { tier: 'redis' }, value: redisHits },
        ]),
    };
  }

  #figure(type: 'counter' | 'gauge', [name, figure, help]: Figure): MetricDefinition {
    const collect = () => this.#each((stats) => [{ labels: {}, value: Number(stats[figure]) }]);
    return { name, help, type, collect };
  }

  #state([name, figure, help]: Figure): MetricDefinition {
    const collect = () =>
      this.#each((stats) => (stats.shared ? [{ labels: {}, value: Number(stats[figure]) }] : []));
    return { name, help, type: 'gauge', aggregator: 'min', collect };
  }

  #durations(): MetricDefinition[] {
    return [
      {
        name: 'cache_read_duration_seconds',
        help: 'Reads from Redis for all caches, each of many keys, as far as they were answered in time.',
        type: 'histogram',
        collect: () => this.#reads.samples(),
      },
      {
        name: 'cache_read_keys_total',
        help: 'Keys of those reads.',
        type: 'counter',
        collect: () => [{ labels: {}, value: this.#keysRead.value }],
      },
      {
        name: 'cache_reads_unanswered_total',
        help: 'Reads from Redis that were not answered within the budget.',
        type: 'counter',
        collect: () => [{ labels: {}, value: this.#unanswered.value }],
      },
      {
        name: 'cache_factory_duration_seconds',
        help: 'Runs of factories, failed ones too. Of caches that have Redis.',
        type: 'histogram',
        collect: () => this.#collectFactories(),
      },
    ];
  }

  *#each(samples: (stats: CacheStats) => Iterable<Sample>): Iterable<Sample> {
    for (const cache of this.#caches)
      for (const { labels, value } of samples(cache.stats()))
        yield { labels: { cache: cache.name, ...labels }, value };
  }

  *#collectFactories(): Iterable<Sample> {
    for (const [cache, durations] of this.#factories) yield* durations.samples({ cache });
  }
}
