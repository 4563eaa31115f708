import type { MetricDefinition } from '../exposition/metric.js';

/** Where metrics come from. */
export interface MetricSource {
  readonly metrics: readonly MetricDefinition[];
  /** What is told on the channels of `node:diagnostics_channel`, by their names. */
  readonly listeners?: ReadonlyMap<string, (message: unknown) => void>;
}
