import { describe, expect, it } from '@jest/globals';
import { environmentPrefix } from './read-environment.js';
import { problemsOf, resolve } from './resolve.fixture.js';

describe('environment and code', () => {
  const env = { REDIS_HOST: 'cache', REDIS_DB: '3', REDIS_STARTUP: 'required', REDIS_PORT: 'nonsense' };

  it('is not read at all where code has an address', () => {
    const { target, db } = resolve({ env, options: { host: 'other' } });
    expect([target, db]).toEqual([{ kind: 'standalone', host: 'other', port: 6379 }, 0]);
  });

  it('gives way to options in code, one by one', () => {
    const options = { db: 4, startup: 'optional', pool: { size: 2 }, connectTimeout: undefined };
    const resolved = resolve({ env: { ...env, REDIS_PORT: '7000', REDIS_CONNECT_TIMEOUT: '1s' }, options });
    expect(resolved).toMatchObject({
      target: { host: 'cache', port: 7000 },
      db: 4,
      startup: 'optional',
      connectTimeout: 1000,
    });
    expect(resolved.pool).toEqual({ size: 2, acquireTimeout: 5_000, queueLimit: 1_000, idleTimeout: 30_000 });
  });

  it('lets code win over the database of REDIS_URL', () => {
    expect(resolve({ env: { REDIS_URL: 'redis://a/1' }, options: { db: 2 } }).db).toBe(2);
  });

  it('does not take a port from code and the host from the environment', () => {
    expect(problemsOf({ env: { REDIS_HOST: 'cache' }, options: { port: 7000 } })).toEqual([
      'port: is given, but the address is that of REDIS_HOST; a port goes with host only',
    ]);
  });
});

describe('prefix of the variables', () => {
  it.each([
    ['default', 'REDIS_'],
    ['sessions', 'REDIS_SESSIONS_'],
    ['web-sessions.v2', 'REDIS_WEB_SESSIONS_V2_'],
    ['größe', 'REDIS_GR_SSE_'],
  ])('of the connection %p is %p', (name, prefix) => {
    expect(environmentPrefix(name)).toBe(prefix);
  });

  it('tells named connections apart', () => {
    const env = { REDIS_HOST: 'one', REDIS_SESSIONS_HOST: 'two' };
    expect(resolve({ env }).target).toMatchObject({ host: 'one' });
    expect(resolve({ env, name: 'sessions' }).target).toMatchObject({ host: 'two' });
  });

  it('can be given', () => {
    const env = { REDIS_HOST: 'one', CACHE_HOST: 'two' };
    expect(resolve({ env, envPrefix: 'CACHE_' }).target).toMatchObject({ host: 'two' });
    expect(problemsOf({ env: { CACHE_PORT: 'x' }, envPrefix: 'CACHE_' })).toEqual([
      expect.stringMatching(/^CACHE_PORT: /),
    ]);
    expect(problemsOf({ envPrefix: 5 as unknown as string })).toEqual(['envPrefix: 5 is not text']);
  });

  it('says which variables it looked for where a named connection has no address', () => {
    expect(
      problemsOf({ name: 'sessions', env: { REDIS_URL: 'redis://default-only', REDIS_SESSIONS_DB: '1' } }),
    ).toEqual([
      'REDIS_SESSIONS_URL: no address: looked for REDIS_SESSIONS_URL, REDIS_SESSIONS_HOST, REDIS_SESSIONS_SENTINELS, ' +
        'REDIS_SESSIONS_CLUSTER_NODES, and for url, host, path, sentinel, cluster in code',
    ]);
  });

  it('is refused where it would take a variable of the connection default', () => {
    const env = { REDIS_SENTINEL_HOST: 'a', REDIS_SENTINEL_PASSWORD: 's3cret' };
    expect(problemsOf({ name: 'sentinel', env })).toEqual([
      "REDIS_SENTINEL_PASSWORD: belongs to the connection 'default' too; give 'sentinel' an envPrefix of its own",
    ]);
  });
});
