import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';

const load = createRequire(import.meta.url);

// Without this, a resolver that found nothing would let the whole suite pass on the newest versions, a second time.
describe('the suite on the oldest supported versions', () => {
  it.each(['common', 'core', 'testing', 'platform-express', 'platform-fastify', 'swagger'])(
    'has @nestjs/%s 11',
    (name) => {
      expect(load(`@nestjs/${name}/package.json`)).toMatchObject({ version: expect.stringMatching(/^11\./) });
    },
  );

  it('has ioredis 6.0.0', () => {
    expect(load('ioredis/package.json')).toMatchObject({ version: expect.stringMatching(/^6\.0\.0$/) });
  });

  it('gives imports and require the same files', () => {
    expect(load('ioredis')).toHaveProperty('Redis', Redis);
  });
});
