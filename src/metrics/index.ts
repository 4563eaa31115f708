export type { EndpointOptions } from '../http/endpoint.js';
export { MetricsConfigurationError } from './options/metrics-configuration-error.js';
export type { RedisMetricsBuckets, RedisMetricsRootOptions } from './options/metrics-options.js';
export { RedisMetrics } from './redis-metrics.js';
export {
  RedisMetricsModule,
  type RedisMetricsModuleAsyncOptions,
  type RedisMetricsModuleExtras,
  type RedisMetricsModuleOptions,
  type RedisMetricsOptionsFactory,
} from './redis-metrics.module.js';
