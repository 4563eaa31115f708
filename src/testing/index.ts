export { makeCertificates, type Certificate, type Certificates } from './certificates.js';
export type { ServerOptions, ServerTlsOptions } from './access.js';
export { eventContext, type TestEventContext } from './event-context.js';
export { startRedis, type RedisServer } from './redis-server.js';
export { ServerStartError } from './server-process.js';
export { FaultProxy, type ProxyDirection } from './fault-proxy.js';
export { passThroughCache } from './pass-through-cache.js';
export {
  passThroughEventBus,
  passThroughEvents,
  recordedEvents,
  type RecordedEvent,
} from './pass-through-events.js';
export { passThroughLocks, passThroughLockService } from './pass-through-locks.js';
export { startSentinel, type SentinelGroup } from './sentinel.js';
export type { SentinelGroupOptions } from './sentinel-config.js';
export { startCluster, type RedisCluster } from './cluster.js';
export type { RedisClusterOptions } from './cluster-config.js';
export type { SlotMigration } from './slot-migration.js';
