import { Injectable } from '@nestjs/common';
import type { Registry, RegistryContentType } from 'prom-client';
import type { MetricsCollector } from './metrics-collector.js';

/**
 * The metrics of an application, for an endpoint of its own.
 *
 * @example
 * response.type(metrics.contentType).send(await metrics.text());
 */
@Injectable()
export class RedisMetrics {
  readonly #collector: MetricsCollector;

  /** @internal `RedisMetricsModule` makes it. */
  constructor(collector: MetricsCollector) {
    this.#collector = collector;
  }

  /** Where they are registered: the module's own, or the one that it was given. */
  get registry(): Registry<RegistryContentType> {
    return this.#collector.registry;
  }

  /** For the header `Content-Type`. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** All metrics of the registry, as Prometheus reads them. What Redis does not answer in time is left out. */
  text(): Promise<string> {
    return this.registry.metrics();
  }
}
