export * from './cache/index.js';
export * from './redis/index.js';
export * from './lock/index.js';
export * from './pubsub/index.js';
export * from './encryption/index.js';
