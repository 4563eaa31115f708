import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Logger } from '@nestjs/common';
import { collectDefaultMetrics, type Registry, type RegistryContentType } from 'prom-client';
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

  get registry(): Registry<RegistryContentType> {
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
    const problems = [
      ...takenProblem(
        registry,
        'prefix',
        metrics.map(({ name }) => name),
      ),
      ...(defaultMetrics ? takenProblem(registry, 'defaultMetrics', [A_DEFAULT_METRIC]) : []),
    ];
    if (problems.length > 0) throw new MetricsConfigurationError('RedisMetricsModule', problems);
    for (const metric of metrics) {
      const { name } = metric;
      metric.registerIn(registry);
      this.#endings.push(() => registry.removeSingleMetric(name));
    }
    // By its type it takes no registry of the format OpenMetrics; it registers metrics there as elsewhere.
    if (defaultMetrics) collectDefaultMetrics({ register: registry as Registry, labels });
  }

  #metricsOf({ metrics }: MetricSource): Metric[] {
    const { prefix, labels } = this.#options;
    const failed = (name: string, error: unknown): void =>
      this.#warnings.warn(name, `The metric ${name} is left out: ${String(error)}`);
    return metrics.map((definition) => new Metric(definition, { prefix, labels, failed }));
  }
}

/** One problem for all names: where an application has failed to start, or was not closed, they are all there. */
function takenProblem(
  registry: Registry<RegistryContentType>,
  option: string,
  names: readonly string[],
): ConfigurationProblem[] {
  // By its type it always answers a metric.
  const [first, ...others] = names.filter(
    (name) => (registry.getSingleMetric(name) as unknown) !== undefined,
  );
  if (first === undefined) return [];
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  const message =
    `the registry has a metric ${first}${more} already: of this name by chance, ` +
    'or by an application that was not closed, as after a failed start';
  return [{ option, message }];
}
