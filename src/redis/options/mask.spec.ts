import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { format, inspect } from 'node:util';
import { maskSecrets, maskUrl, redacted, showPath, showValue } from './mask.js';

const pem = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ\n-----END PRIVATE KEY-----\n';

describe('maskUrl', () => {
  it.each([
    ['redis://cache:6379/1', 'redis://cache:6379/1'],
    ['redis://app:s3cret@cache:6379/1', 'redis://***@cache:6379/1'],
    ['REDISS://:s3cret@[::1]:6379', 'REDISS://***@[::1]:6379'],
    ['unix://app:s3cret@/run/redis.sock?db=2', 'unix://***@/run/redis.sock?db=2'],
    ['redis://cache?password=s3cret&db=1', 'redis://cache?password=***&db=1'],
    ['redis://cache?s3cret', 'redis://cache?***'],
    ['redis://cache?db=s3cret', 'redis://cache?db=***'],
    ['redis://cache/0#s3cret', 'redis://cache/0#***'],
    ['app:s3cret@cache:6379', '***@cache:6379'],
    ['cache:6379', 'cache:6379'],
  ])('shows %p as %p', (url, shown) => {
    expect(maskUrl(url)).toBe(shown);
  });

  it.each([
    ['redis://app:s3/cr@et@cache', 'redis://***@cache'],
    ['redis://app:12/s3cret@cache', 'redis://***@cache'],
    ['redis://app:s3#cret@cache', 'redis://***@cache'],
    ['redis://app:s3?cret@cache', 'redis://***@cache'],
    ['redis://app:s3\ncret@cache', 'redis://***@cache'],
    ['redis://:s3cret', 'redis://***'],
    ['redis://app:s3cret', 'redis://***'],
  ])('hides all of a password that is not percent-encoded, or has no host behind it: %p', (url, shown) => {
    expect(maskUrl(url)).toBe(shown);
  });

  it('never shows what stands in the place of the password', () => {
    fc.assert(
      fc.property(secret(), fc.boolean(), (password, encoded) => {
        const shown = maskUrl(
          `redis://app:${encoded ? encodeURIComponent(password) : password}@cache:6379/1`,
        );
        expect(shown).toBe('redis://***@cache:6379/1');
      }),
    );
  });
});

describe('showValue', () => {
  it.each([
    ['text', "'text'"],
    ['a\nb', "'a\\nb'"],
    ['x'.repeat(200), `'${'x'.repeat(120)}…'`],
    ['redis://:s3cret@cache', "'redis://***@cache'"],
    [pem, "'***'"],
    [5, '5'],
    [NaN, 'NaN'],
    [null, 'null'],
    [['s3cret'], 'an array'],
    [{ toString: 's3cret' }, 'an object'],
    [Buffer.from(pem), 'a Buffer'],
    [() => 's3cret', 'a function'],
    [Symbol('s3cret'), 'a symbol'],
  ])('shows %p as %p', (value, shown) => {
    expect(showValue(value)).toBe(shown);
  });
});

describe('showPath', () => {
  it.each(['/run/secrets/redis', './ca', '../ca', 'certs/client.key', 'C:\\redis\\ca'])(
    'shows the path %p',
    (path) => {
      expect(showPath(path)).toBe(showValue(path));
    },
  );

  it.each(['s3cret', 'LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t/abc', pem, '/run/-----BEGIN'])(
    'hides what is a secret in the place of its file: %p',
    (path) => {
      expect(showPath(path)).toBe("'***'");
    },
  );
});

describe('redacted', () => {
  it('hides what is named like a secret, at any depth, and nothing else', () => {
    const value = {
      username: 'app',
      password: 's3cret',
      sentinel: { nodes: ['a:1'], sentinelPassword: 's3cret' },
      tls: { ca: 'public', key: pem, passphrase: 's3cret', servername: 'cache' },
      url: 'redis://app:s3cret@cache',
      extra: [{ token: 's3cret' }, Buffer.from(pem), `cert\n${pem}`],
    };
    expect(redacted(value)).toEqual({
      username: 'app',
      password: '***',
      sentinel: { nodes: ['a:1'], sentinelPassword: '***' },
      tls: { ca: 'public', key: '***', passphrase: '***', servername: 'cache' },
      url: 'redis://***@cache',
      extra: [{ token: '***' }, '***', '***'],
    });
  });

  it('says nothing of a secret that is not there, and copes with circles', () => {
    const value: Record<string, unknown> = { password: undefined };
    value['self'] = value;
    expect(redacted(value)).toEqual({ password: undefined, self: '[Circular]' });
  });
});

describe('maskSecrets', () => {
  it('hides from inspect, format and JSON, and leaves the values as they are', () => {
    const object = maskSecrets({ password: 's3cret', db: 1 });
    expect(object.password).toBe('s3cret');
    expect(Object.keys(object)).toEqual(['password', 'db']);
    const shown = [
      inspect(object, { depth: 10, showHidden: true }),
      inspect({ nested: [object] }, { depth: 10, showHidden: true }),
      format('%o %O %j', object, object, object),
      JSON.stringify({ object }),
    ];
    for (const text of shown) expect(text).not.toContain('s3cret');
    expect(JSON.stringify(object)).toBe('{"password":"***","db":1}');
  });
});

/** Text without lone surrogates, which `encodeURIComponent` refuses. */
function secret(): fc.Arbitrary<string> {
  return fc.string({ unit: 'binary', minLength: 1 });
}
