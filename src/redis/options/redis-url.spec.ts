import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { problemsOf, refusal, resolve } from './resolve.fixture.js';

describe('url', () => {
  it.each([
    ['redis://cache', { target: { kind: 'standalone', host: 'cache', port: 6379 }, db: 0 }],
    ['redis://cache:7000/3', { target: { kind: 'standalone', host: 'cache', port: 7000 }, db: 3 }],
    ['redis://cache/?db=3', { target: { kind: 'standalone', host: 'cache', port: 6379 }, db: 3 }],
    ['redis://cache/3?db=3', { db: 3 }],
    ['redis://[::1]:7000/', { target: { kind: 'standalone', host: '::1', port: 7000 }, db: 0 }],
    ['redis://app:p%40ss@cache', { username: 'app', password: 'p@ss' }],
    ['redis://:pass@cache', { username: undefined, password: 'pass' }],
    ['redis://:@cache', { username: undefined, password: undefined }],
    ['unix:///run/my%20redis.sock?db=2', { target: { kind: 'socket', path: '/run/my redis.sock' }, db: 2 }],
    [
      'unix://app:pass@/run/redis.sock',
      { target: { kind: 'socket', path: '/run/redis.sock' }, username: 'app', password: 'pass' },
    ],
    ['  redis://cache\n', { target: { kind: 'standalone', host: 'cache', port: 6379 } }],
  ])('%p', (url, expected) => {
    expect(resolve({ options: { url } })).toMatchObject({ tls: undefined, ...expected });
  });

  it.each(['rediss://cache', 'REDISS://cache', 'RedisS://cache'])('%p means TLS', (url) => {
    expect(resolve({ options: { url } }).tls).toEqual({ minVersion: 'TLSv1.2' });
  });

  const encode = 'special characters in the user name or password must be percent-encoded';
  const begin = 'does not begin with redis://, rediss:// (TLS) or unix:// (socket)';
  it.each([
    ['http://cache', `'http://cache' ${begin}`],
    ['cache:6379', `'cache:6379' ${begin}`],
    ['redis:cache', `'***' ${begin}`],
    ['/run/redis.sock', `'/run/redis.sock' ${begin}`],
    ['', `'' ${begin}`],
    ['app:s3cret@cache', `'***@cache' ${begin}`],
    [
      'redis://cache:70000',
      `'redis://cache:70000' cannot be read as a URL (host, port 1 to 65535, database); ${encode}`,
    ],
    [
      'redis://:s3/cret@cache',
      `'redis://***@cache' cannot be read as a URL (host, port 1 to 65535, database); ${encode}`,
    ],
    [
      'redis://ca che',
      `'redis://ca che' cannot be read as a URL (host, port 1 to 65535, database); ${encode}`,
    ],
    ['redis://cache:0', "'redis://cache:0' has a port that is not within 1 to 65535"],
    ['redis:///1', "'redis:///1' has no host"],
    [
      'redis://cache/one',
      `'redis://cache/one' has a database that is not an integer of 0 or more; ${encode}`,
    ],
    [
      'redis://cache/1.5',
      `'redis://cache/1.5' has a database that is not an integer of 0 or more; ${encode}`,
    ],
    ['redis://cache/-1', `'redis://cache/-1' has a database that is not an integer of 0 or more; ${encode}`],
    [
      'redis://cache/99999999999',
      `'redis://cache/99999999999' has a database that is not an integer of 0 or more; ${encode}`,
    ],
    ...['redis://app:12/s3cret@cache', 'redis://app:12?s3cret=x@cache', 'redis://app:12#s3cret@cache'].map(
      (url) => [
        url,
        `'redis://***@cache' cannot be read as a URL (host, port 1 to 65535, database); ${encode}`,
      ],
    ),
    ['redis://cache/1?db=2', "'redis://cache/1?db=2' names different databases"],
    ['redis://app:%zz@cache', `'redis://***@cache' has a '%' that is no percent-encoding; ${encode}`],
    ['redis://cache/0#s3cret', `'redis://cache/0#***' has a '#'; ${encode}`],
    [
      'unix://run/redis.sock',
      "'unix://run/redis.sock' has no path of a socket; expected unix:///path/to/redis.sock",
    ],
    ['unix:///', "'unix:///' has no path of a socket; expected unix:///path/to/redis.sock"],
    [
      'redis://cache?ssl=true&password=s3cret',
      "'redis://cache?ssl=***&password=***' has unknown query parameters: 'ssl', 'password'; known is db, all else is an option or variable of its own",
    ],
  ])('%p is refused', (url, message) => {
    expect(problemsOf({ options: { url } })).toEqual([`url: ${message}`]);
  });

  it.each([5, null, {}, ['redis://cache']])('%p is not a URL', (url) => {
    expect(problemsOf({ options: { url } })).toEqual([
      expect.stringMatching(
        /^url: .* is not a URL \(redis:\/\/, rediss:\/\/ \(TLS\) or unix:\/\/ \(socket\)\)$/,
      ),
    ]);
  });

  it('reads back any user, password, host, port and database', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    const port = fc.integer({ min: 1, max: 65_535 });
    const scheme = fc.constantFrom('redis', 'rediss', 'REDISS');
    fc.assert(
      fc.property(
        scheme,
        text,
        text,
        fc.domain(),
        port,
        fc.nat(),
        (name, username, password, host, number, db) => {
          const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
          const resolved = resolve({ options: { url: `${name}://${login}@${host}:${number}/${db}` } });
          const target = { kind: 'standalone', host, port: number };
          expect(resolved).toMatchObject({ username, password, db, target });
          expect(resolved.tls !== undefined).toBe(name !== 'redis');
        },
      ),
    );
  });

  it('keeps a password out of the error, however it is written and whatever else is wrong', () => {
    const password = fc.string({ minLength: 1 }).map((text) => `s3cret${text}s3cret`);
    const shape = fc.constantFrom(
      (secret: string) => `redis://app:${secret}@cache:99999/x?ssl=1`,
      (secret: string) => `http://app:${secret}@cache`,
      (secret: string) => `app:${secret}@cache`,
      (secret: string) => `redis://cache:99999?password=${encodeURIComponent(secret)}`,
      (secret: string) => `unix://app:${secret}@run`,
    );
    fc.assert(
      fc.property(password, shape, fc.boolean(), (secret, make, encoded) => {
        const url = make(encoded ? encodeURIComponent(secret) : secret);
        const { message, stack, problems, cause } = refusal({ options: { url } });
        expect(`${message}${stack}${JSON.stringify(problems)}`).not.toContain('s3cret');
        expect(cause).toBeUndefined();
      }),
    );
  });
});
