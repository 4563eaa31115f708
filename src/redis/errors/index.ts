export * from './classify.js';
export * from './errors.js';
export * from './redis-error.js';
export { retry, type RetryOptions } from './retry.js';
export * from './with-fallback.js';
