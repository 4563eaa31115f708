import { esModuleOf } from './test/support/es-module-of.mjs';

/** Jest in ESM mode; `scripts/test.mjs` passes the Node flag that it needs. */
export default {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  testMatch: ['**/*.spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/compat'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^rednest$': '<rootDir>/src/index.ts',
    '^rednest/(testing|health|diagnostics|metrics)$': '<rootDir>/src/$1/index.ts',
    '^rednest/(session|throttler|keyv|bullmq)$': '<rootDir>/src/adapters/$1/index.ts',
    '^@nestjs/throttler$': esModuleOf('@nestjs/throttler'),
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  // Each spec file that builds a Nest application keeps about 20 MB: a worker is renewed before that adds up.
  workerIdleMemoryLimit: '300MB',
  testTimeout: 20_000,
  reporters: ['default', '<rootDir>/scripts/tally-reporter.mjs'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        // For debuggers they stand in the code. Each worker then has to read them with every file of every test.
        sourceMaps: process.env.CI ? true : 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
      },
    ],
  },
};
