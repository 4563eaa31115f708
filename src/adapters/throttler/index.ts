export { AdapterConfigurationError } from '../adapter-configuration-error.js';
export { RedisThrottlerStorage } from './redis-throttler-storage.js';
export type { RedisThrottlerStorageOptions } from './throttler-options.js';
