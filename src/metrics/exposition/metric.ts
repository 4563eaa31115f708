import type { Aggregator, Metric as PromMetric, Registry, RegistryContentType } from 'prom-client';

export type Labels = Readonly<Record<string, string | number>>;

/** A value of a metric at the moment of a scrape. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** What comes after the name of the metric: `_bucket`. */
  readonly suffix?: string;
}

/** A metric, as a source describes it. */
export interface MetricDefinition {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /**
   * What prom-client's `AggregatorRegistry` makes of the values that several processes have for the same labels. Each process counts for itself;
   * of a server, or of the groups of the event bus, all tell the same. @default 'sum'
   */
  readonly aggregator?: Extract<Aggregator, 'sum' | 'max' | 'min'>;
  /** Its values now. One that is not known is left out. */
  readonly collect: () => Iterable<Sample> | Promise<Iterable<Sample>>;
}

interface Presentation {
  readonly prefix: string;
  /** Labels that all have. */
  readonly labels: Labels;
  /** Told of what a `collect` has thrown: the scrape goes on without that metric. */
  readonly failed: (metric: string, error: unknown) => void;
}

/**
 * A metric as prom-client's registry takes it: it asks for the values at a scrape, and nothing has to be kept up to date until then, as with
 * prom-client's own classes, which look labels up at each step.
 */
export class Metric {
  /** Not read-only: a registry of the format OpenMetrics takes `_total` off, and puts it on again at each value. */
  name: string;
  readonly help: string;
  readonly type: MetricDefinition['type'];
  readonly aggregator: Aggregator;
  readonly #definition: MetricDefinition;
  readonly #presentation: Presentation;

  constructor(definition: MetricDefinition, presentation: Presentation) {
    this.name = presentation.prefix + definition.name;
    this.help = definition.help;
    this.type = definition.type;
    this.aggregator = definition.aggregator ?? 'sum';
    this.#definition = definition;
    this.#presentation = presentation;
  }

  /** What `Registry.registerMetric` takes: its type asks for a class of prom-client, and its code for no more than this. */
  registerIn(registry: Registry<RegistryContentType>): void {
    registry.registerMetric(this as unknown as PromMetric);
  }

  async get() {
    const { name, help, type, aggregator } = this;
    const samples = await this.#samples();
    const values = Array.from(samples, ({ labels, value, suffix }) => ({
      labels: { ...this.#presentation.labels, ...labels },
      value,
      ...(suffix !== undefined && { metricName: name + suffix }),
    }));
    return { name, help, type, aggregator, values };
  }

  /** For `Registry.resetMetrics`. What is counted is counted elsewhere, and goes on. */
  reset(): void {}

  async #samples(): Promise<Iterable<Sample>> {
    try {
      // A generator is run here, so that what it throws is caught.
      return [...(await this.#definition.collect())];
    } catch (error) {
      this.#presentation.failed(this.name, error);
      return [];
    }
  }
}
