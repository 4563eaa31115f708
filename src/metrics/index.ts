export {
  RedisMetricsModule,
  type MetricsModuleAsyncOptions,
  type MetricsModuleExtras,
  type MetricsModuleOptions,
  type MetricsOptionsFactory,
} from './metrics.module.js';
export { type MetricsEndpointOptions } from './metrics.controller.js';
export { MetricsConfigurationError } from './options/metrics-configuration-error.js';
export type { MetricsBuckets, MetricsRootOptions, ServerMetricsOptions } from './options/metrics-options.js';
export { RedisMetrics } from './redis-metrics.js';
