export { RedisConfigurationError, type ConfigurationProblem } from './configuration-error.js';
export { parseDuration } from './duration.js';
export { RedisEnvironment } from './environment.js';
export { maskSecrets, maskUrl, redacted } from './mask.js';
export { OWNED_DRIVER_OPTIONS } from './owned-driver-options.js';
export * from './redis-options.js';
export * from './resolved-options.js';
export { resolveRedisOptions } from './resolve-redis-options.js';
export { type ResolveInput } from './collect-settings.js';
