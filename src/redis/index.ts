export { COMMAND_CHANNEL, type CommandEvent } from './connection/command-events.js';
export {
  CONNECTION_CHANNEL,
  type ConnectionEvent,
  type ConnectionState,
} from './connection/connection-events.js';
export { type DedicatedOptions } from './connection/dedicated-connections.js';
export { type PoolStats } from './connection/dedicated-pool.js';
export { type MasterHandlers, type MasterWatch } from './connection/master-watch.js';
export { RedisConnection } from './connection/redis-connection.js';
export { type RedisClient } from './driver/redis-client.js';
export * from './errors/index.js';
export { hashSlot } from './keys/hash-slot.js';
export { key, type KeyPart } from './keys/key.js';
export { namespace, type Namespace } from './keys/namespace.js';
export { RedisConfigurationError, type ConfigurationProblem } from './options/configuration-error.js';
export { type ByteSize } from './options/byte-size.js';
export { parseDuration } from './options/duration.js';
export type * from './options/redis-options.js';
export { RedisConnections } from './redis-connections.js';
export { RedisModule, type RedisModuleOptions } from './redis.module.js';
export {
  type RedisModuleAsyncOptions,
  type RedisModuleExtras,
  type RedisOptionsFactory,
} from './redis.module-definition.js';
export {
  DEFAULT_CONNECTION,
  getRedisConnectionToken,
  getRedisToken,
  InjectRedis,
  InjectRedisConnection,
} from './redis.tokens.js';
export {
  defineScript,
  type Script,
  type ScriptArgument,
  type ScriptDefinition,
} from './scripts/define-script.js';
export { type OptimisticOptions } from './transactions/optimistic.js';
