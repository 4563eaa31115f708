import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Logger } from '@nestjs/common';
import { collectDefaultMetrics, type Registry } from 'prom-client';
import type { FeatureServices } from '../discovery/feature-services.js';
import { LimitedWarnings } from '../logging/limited-warnings.js';
import type { ConfigurationProblem, RedisConnections } from '../redis/index.js';
import type { ConnectionUser } from '../redis/shared.js';
import { Metric } from './exposition/metric.js';
import { MetricsConfigurationError } from './options/metrics-configuration-error.js';
import type { ResolvedMetricsOptions } from './options/resolve-metrics-options.js';
import type { MetricSource } from './sources/metric-source.js';
import { sourcesOf } from './sources/sources-of.js';

/** One of prom-client's own, by which it is seen whether they are there. */
const A_DEFAULT_METRIC = 'process_cpu_user_seconds_total';

/** Registers the metrics of an application, and listens for what they count, until it shuts down. */
export class MetricsCollector implements ConnectionUser {
  readonly #logger = new Logger('RedisMetricsModule');
  readonly #warnings = new LimitedWarnings((message) => this.#logger.warn(message));
  readonly #connections: RedisConnections;
  readonly #options: ResolvedMetricsOptions;
  readonly #features: () => FeatureServices;
  /** What is undone at the end. */
  readonly #endings: (() => void)[] = [];

  /** @param features asked when all modules are made */
  constructor(
    connections: RedisConnections,
    options: ResolvedMetricsOptions,
    features: () => FeatureServices,
  ) {
    this.#connections = connections;
    this.#options = options;
    this.#features = features;
  }

  get registry(): Registry {
    return this.#options.registry;
  }

  /** @throws MetricsConfigurationError where the registry has metrics of these names */
  async start(): Promise<void> {
    const sources = sourcesOf(this.#connections, this.#options, this.#features());
    this.#register(sources.flatMap((source) => this.#metricsOf(source)));
    for (const { listeners = new Map() } of sources)
      for (const [channel, listener] of listeners) {
        subscribe(channel, listener);
        this.#endings.push(() => void unsubscribe(channel, listener));
      }
  }

  async stop(): Promise<void> {
    for (const end of this.#endings.splice(0)) end();
  }

  #register(metrics: readonly Metric[]): void {
    const { registry, labels, defaultMetrics } = this.#options;
    const problems = metrics.flatMap(({ name }) => takenProblem(registry, 'prefix', name));
    if (defaultMetrics) problems.push(...takenProblem(registry, 'defaultMetrics', A_DEFAULT_METRIC));
    if (problems.length > 0) throw new MetricsConfigurationError(problems);
    for (const metric of metrics) {
      const { name } = metric;
      metric.registerIn(registry);
      this.#endings.push(() => registry.removeSingleMetric(name));
    }
    if (defaultMetrics) collectDefaultMetrics({ register: registry, labels });
  }

  #metricsOf({ metrics }: MetricSource): Metric[] {
    const { prefix, labels } = this.#options;
    const failed = (name: string, error: unknown): void =>
      this.#warnings.warn(name, `The metric ${name} is left out: ${String(error)}`);
    return metrics.map((definition) => new Metric(definition, { prefix, labels, failed }));
  }
}

function takenProblem(registry: Registry, option: string, name: string): ConfigurationProblem[] {
  // By its type it always answers a metric.
  const taken: unknown = registry.getSingleMetric(name);
  return taken === undefined ? [] : [{ option, message: `the registry has a metric ${name} already` }];
}
