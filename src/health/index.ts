export type { EndpointOptions } from '../http/endpoint.js';
export type { HealthCode } from './health.js';
export { HealthConfigurationError } from './options/health-configuration-error.js';
export type {
  ConnectionHealthOptions,
  EventsHealthOptions,
  IndicatorFunction,
  MemoryHealthOptions,
  ReadinessIndicator,
  RedisHealthOptions,
  RedisHealthRootOptions,
  ReplicationHealthOptions,
} from './options/health-options.js';
export { RedisHealthIndicator } from './redis-health.indicator.js';
export {
  RedisHealthModule,
  type RedisHealthModuleAsyncOptions,
  type RedisHealthModuleExtras,
  type RedisHealthModuleOptions,
  type RedisHealthOptionsFactory,
} from './redis-health.module.js';
