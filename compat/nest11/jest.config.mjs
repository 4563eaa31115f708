import { join } from 'node:path';
import config from '../../jest.config.mjs';

/** The whole suite again, on the oldest supported Nest and driver. */
export default {
  ...config,
  resolver: join(import.meta.dirname, 'resolver.cjs'),
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  // The commands are the same whatever Nest is beside them.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/setup/'],
};
