// What the modules of rednest share, beyond what applications see.
export {
  APPLICATION_EXTRAS,
  CONNECTED_EXTRAS,
  connectedDefinition,
  connectedProvider,
  type ApplicationExtras,
  type ConnectedExtras,
} from './connected-module.js';
export { nodeName } from './connection/node-address.js';
export { askUntimed } from './driver/ask-untimed.js';
export { queuedCommands, type QueuedCommand } from './driver/internals.js';
export { serverAddress } from './driver/server-address.js';
export { socketProgress, type SocketProgress } from './driver/socket-progress.js';
export { isRefusal, isReply, isWriteRefusal } from './errors/is-reply.js';
export { orRedisError } from './errors/or-redis-error.js';
export { SLOT_COUNT } from './keys/hash-slot.js';
export { HOOK_DISTANCE, setDistance } from './hook-order.js';
export { connectionProblem, importedTwiceProblem } from './module-problems.js';
export { BYTE_SIZE_EXPECTED, parseByteSize, toBytes } from './options/byte-size.js';
export { listProblems } from './options/configuration-error.js';
export { toMilliseconds } from './options/duration.js';
export { flattenOptions, type OptionTree } from './options/flatten-options.js';
export { hideOptions } from './options/hide-options.js';
export { environmentVariables } from './options/environment.js';
export { showPath, showValue } from './options/mask.js';
export { NestedProblems } from './options/nested-problems.js';
export { Problems } from './options/problems.js';
export { resolveOptions } from './options/resolve-options.js';
export { environmentPrefix } from './options/read-environment.js';
export { resolveRedisOptions } from './options/resolve-redis-options.js';
export type { HostAndPort, ResolvedRedisOptions } from './options/resolved-options.js';
export { Settings } from './options/settings.js';
export { readClients, type ClientsReading } from './replies/clients.js';
export { Info, type InfoRecord } from './replies/info.js';
export { canEvict, evictsExpiring, readMemory, type MemoryReading } from './replies/memory.js';
export { readPersistence, worstStatus, type WriteStatus } from './replies/persistence.js';
export { readReplication, type LinkReading, type ReplicaReading } from './replies/replication.js';
export { type ConnectionUser } from './redis-connections.js';
export { RedisCoreModule } from './redis-core.module.js';
