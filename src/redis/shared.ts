// What the modules of rednest share, beyond what applications see.
export {
  CONNECTED_EXTRAS,
  connectedDefinition,
  connectedProvider,
  type ConnectedExtras,
} from './connected-module.js';
export { queuedCommands, type QueuedCommand } from './driver/internals.js';
export { socketProgress, type SocketProgress } from './driver/socket-progress.js';
export { orRedisError } from './errors/or-redis-error.js';
export { connectionProblem, importedTwiceProblem } from './module-problems.js';
export { BYTE_SIZE_EXPECTED, parseByteSize, toBytes } from './options/byte-size.js';
export { listProblems } from './options/configuration-error.js';
export { flattenOptions, type OptionTree } from './options/flatten-options.js';
export { hideOptions } from './options/hide-options.js';
export { showValue } from './options/mask.js';
export { Problems } from './options/problems.js';
export { Settings } from './options/settings.js';
export { type ConnectionUser } from './redis-connections.js';
export { RedisCoreModule } from './redis-core.module.js';
