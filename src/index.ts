export * from './cache/index.js';
export * from './redis/index.js';
