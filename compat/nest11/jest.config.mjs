import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import config from '../../jest.config.mjs';

/** The driver that is installed in a folder. */
const driverOf = (folder) =>
  JSON.parse(readFileSync(join(folder, 'node_modules/ioredis/package.json'), 'utf8')).version;

/** Connections, and the servers of `rednest/testing`: they depend on the driver, and look the same from any Nest. */
const ofTheDriver = [
  '<rootDir>/test/redis/(?!module|shutdown|authentication|when-ready)',
  '<rootDir>/src/testing/',
];

/** Without what stands in for CommonJS packages: they can require this Nest. */
function ofCommonJsNest({ '^@nestjs/throttler$': _, ...moduleNameMapper }) {
  return moduleNameMapper;
}

/** What sees Nest again, on the oldest supported Nest, and what sees the driver, where the oldest supported one is not the project's. */
export default {
  ...config,
  moduleNameMapper: ofCommonJsNest(config.moduleNameMapper),
  resolver: join(import.meta.dirname, 'resolver.cjs'),
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  testPathIgnorePatterns: [
    '/node_modules/',
    // The commands are the same whatever Nest is beside them, and so are the engines of the cache, the locks, the event bus and the
    // encryption, which do not see it.
    '<rootDir>/test/setup/',
    '<rootDir>/test/cache/(?:acl|coheren|commands|entries|events|factory|local|maintenance|many|outage|pending|randomised|scale|tags)',
    '<rootDir>/test/lock/(?!module|locked)',
    '<rootDir>/src/lock/(?:server|fencing|inspection|leader|lease|options|waiting)/',
    '<rootDir>/test/pubsub/(?!module|subscribe|request-scoped|bootstrap|shutdown|pass-through)',
    '<rootDir>/src/pubsub/',
    '<rootDir>/src/cache/(?:codecs|coherence|entry|flight|local|lookup|maintenance|remote|stamps|store)/',
    '<rootDir>/test/encryption/(?!module|http|bootstrap|pass-through)',
    '<rootDir>/src/encryption/',
    '<rootDir>/src/(?:keyspace|diagnostics|health|metrics|timing)/',
    '<rootDir>/test/(?:diagnostics|metrics)/(?!module)',
    '<rootDir>/test/health/(?!module|http)',
    // The command line tool is run with what the project has installed; probes are tried with both above.
    '<rootDir>/test/cli/',
    // What does not see Nest, or in processes of its own.
    '<rootDir>/test/adapters/(?:acl|session-(?:store|topologies)|bullmq-exit|keyv|throttler(?!-http))',
    '<rootDir>/sample/test/(?:k8s|faults-http)',
    // What the sample keeps in Redis is the same whatever Nest serves it.
    '<rootDir>/sample/test/(?:accounts|ranking|tags|tours|visits|work)',
    // What they test runs in processes of its own, which Node gives the project's Nest and not this one.
    '<rootDir>/test/cache/(?:shutdown|stampede)',
    ...(driverOf(import.meta.dirname) === driverOf(config.rootDir) ? ofTheDriver : []),
  ],
};
