import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { inspect } from 'node:util';
import { RedisConfigurationError } from './configuration-error.js';
import { environmentVariables } from './environment.js';
import { OPTION_TREE } from './option-tree.js';
import { refusal, resolve } from './resolve.fixture.js';

describe('secrets', () => {
  it('are not shown by the resolved options, nor by their parts', () => {
    const secret = fc.string({ minLength: 4 }).map((text) => `s3cret-${text}`);
    fc.assert(
      fc.property(secret, secret, (password, sentinelPassword) => {
        const sentinel = { masterName: 'main', nodes: ['a'], username: 'watch', password: sentinelPassword };
        const resolved = resolve({ options: { sentinel, username: 'app', password } });
        expect(resolved.password).toBe(password);
        expect(resolved.target).toMatchObject({ password: sentinelPassword });
        for (const object of [resolved, resolved.target, { nested: [resolved] }]) {
          const shown = `${inspect(object, { depth: 10, showHidden: true })}${JSON.stringify(object)}`;
          expect(shown).not.toContain('s3cret-');
          expect(shown).toContain('***');
        }
      }),
    );
  });

  it('are not shown by errors, wherever they were given', () => {
    const secret = fc.string().map((text) => `s3cret${text}s3cret`);
    const places = fc.constantFrom(
      (password: string) => ({ password, db: -1 }),
      (password: string) => ({ host: 'a', password, credentials: 5, passwrod: password }),
      (password: string) => ({
        url: `redis://:${encodeURIComponent(password)}@a/x`,
        password: `${password}!`,
      }),
      (password: string) => ({ sentinel: { nodes: [`redis://:${password}@a`], password } }),
      (password: string) => ({ cluster: { nodes: [`app:${password}@a:1`] }, password }),
      (password: string) => ({
        host: `app:${password}@a`,
        tls: { passphrase: password, key: password, ca: password },
      }),
      (password: string) => ({
        host: 'a',
        db: 1.5,
        driver: { password, sentinelPassword: password, tls: { key: password } },
      }),
      (password: string) => ({ host: 'a', tls: { keyFile: password, certFile: `-----BEGIN ${password}` } }),
    );
    fc.assert(
      fc.property(secret, places, (password, make) => {
        const error = refusal({ options: make(password) });
        expect(`${error.stack}${inspect(error, { depth: 10, showHidden: true })}`).not.toContain('s3cret');
      }),
    );
  });

  it('are not shown by errors about the environment', () => {
    const secret = fc.string().map((text) => `s3cret${text}s3cret`);
    const places = fc.constantFrom<(password: string) => Record<string, string>>(
      (password) => ({ REDIS_PASSWORD: password, REDIS_DB: 'x' }),
      (password) => ({ REDIS_URL: `redis://app:${password}@a:99999`, REDIS_PASSWORD: password }),
      (password) => ({ REDIS_HOST: `app:${password}@a` }),
      (password) => ({ REDIS_CLUSTER_NODES: `redis://app:${password}@a:1,b:2` }),
      (password) => ({ REDIS_SENTINELS: `app:${password}@a:1,b:2`, REDIS_SENTINEL_PASSWORD: password }),
      (password) => ({ REDIS_PASSWORD_FILE: `${password}\0` }),
      (password) => ({
        REDIS_USE_TLS: '1',
        REDIS_CLIENT_KEY: `${password}\0`,
        REDIS_CA_CERT: `-----BEGIN ${password}`,
      }),
      (password) => ({ REDIS_PORT: `tcp://app:${password}@a:1` }),
    );
    fc.assert(
      fc.property(secret, places, (password, make) => {
        const error = refusal({ env: make(password) });
        expect(`${error.stack}${inspect(error, { depth: 10, showHidden: true })}`).not.toContain('s3cret');
      }),
    );
  });
});

describe('junk', () => {
  const groups = Object.entries<true | object>(OPTION_TREE);
  const junk = fc.oneof(
    fc.anything({ withNullPrototype: true }),
    fc.webUrl(),
    fc.constantFrom('redis://a', ['a'], -1, '5s'),
  );
  const tree = fc.record(
    Object.fromEntries(
      groups.map(([name, content]) => {
        if (content === true) return [name, junk];
        const group = Object.fromEntries(Object.keys(content).map((option) => [option, junk]));
        return [name, fc.oneof(junk, fc.record(group, { requiredKeys: [] }))];
      }),
    ),
    { requiredKeys: [] },
  );

  it('in code is accepted or refused with a RedisConfigurationError', () => {
    fc.assert(
      fc.property(fc.oneof(tree, junk), (options) => settles({ options: options ?? null })),
      { numRuns: 500 },
    );
  });

  it('in the environment is accepted or refused with a RedisConfigurationError', () => {
    const text = fc.oneof(
      fc.string(),
      fc.webUrl(),
      fc.constantFrom('1', 'true', 'a:1,b', 'redis://a', 'tcp://a:1', '[::1]:5'),
    );
    const variables = Object.fromEntries(environmentVariables().map((name) => [`REDIS_${name}`, text]));
    fc.assert(
      fc.property(fc.record(variables, { requiredKeys: [] }), (env) => settles({ env })),
      { numRuns: 500 },
    );
  });
});

function settles(given: Parameters<typeof resolve>[0]): void {
  try {
    const { target, db, pool } = resolve(given);
    expect(target.kind).toMatch(/^(standalone|socket|sentinel|cluster)$/);
    expect(Number.isInteger(db) && Number.isInteger(pool.size)).toBe(true);
  } catch (error) {
    if (!(error instanceof RedisConfigurationError)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    for (const { option, message } of error.problems) expect(`${option}${message}`).not.toContain('\n');
  }
}
