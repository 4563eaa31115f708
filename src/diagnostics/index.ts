export type * from './figures/reports.js';
export { InspectionConfigurationError } from './options/inspection-configuration-error.js';
export type {
  CommandStatsOptions,
  LatencyOptions,
  RedisInspectorOptions,
  SaveOptions,
  SlowLogOptions,
  WatchMemoryOptions,
} from './options/inspector-options.js';
export { getRedisInspectorToken, InjectRedisInspector } from './inspector-tokens.js';
export type { NodeFigures, NoFigures, Omission, Report } from '../inquiry/omission.js';
export { RedisInspector } from './redis-inspector.js';
export {
  RedisInspectorModule,
  type RedisInspectorModuleAsyncOptions,
  type RedisInspectorModuleExtras,
  type RedisInspectorModuleOptions,
  type RedisInspectorOptionsFactory,
} from './redis-inspector.module.js';
export { IdleTimeUnavailableError } from './scans/idle-time-unavailable-error.js';
export type * from './scans/scan-options.js';
export type * from './scans/scan-reports.js';
