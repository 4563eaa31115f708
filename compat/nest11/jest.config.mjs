import { join } from 'node:path';
import config from '../../jest.config.mjs';

/** The whole suite again, on the oldest supported Nest and driver. */
export default {
  ...config,
  resolver: join(import.meta.dirname, 'resolver.cjs'),
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  testPathIgnorePatterns: [
    '/node_modules/',
    // The commands are the same whatever Nest is beside them, and so are the engines of the cache, the locks and the event bus, which do not see it.
    '<rootDir>/test/setup/',
    '<rootDir>/test/cache/(?:coheren|commands|entries|events|factory|local|maintenance|many|outage|pending|randomised|scale|tags)',
    '<rootDir>/test/lock/(?!module|locked)',
    '<rootDir>/src/lock/(?:server|fencing|inspection|leader|lease|options|waiting)/',
    '<rootDir>/test/pubsub/(?!module|subscribe|request-scoped|bootstrap|shutdown|pass-through)',
    '<rootDir>/src/pubsub/',
    '<rootDir>/src/cache/(?:codecs|coherence|entry|flight|local|lookup|maintenance|remote|stamps|store)/',
  ],
};
