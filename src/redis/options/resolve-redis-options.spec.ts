import { describe, expect, it } from '@jest/globals';
import { RedisError } from '../errors/redis-error.js';
import { OWNED_DRIVER_OPTIONS } from './owned-driver-options.js';
import { problemsOf, refusal, resolve } from './resolve.fixture.js';

const reconnectOnError = () => true;

describe('resolveRedisOptions', () => {
  it('fills in the defaults', () => {
    expect(resolve({})).toEqual({
      name: 'default',
      target: { kind: 'standalone', host: 'localhost', port: 6379 },
      username: undefined,
      password: undefined,
      credentials: undefined,
      db: 0,
      tls: undefined,
      clientName: 'rednest:default',
      startup: 'required',
      startupTimeout: 10_000,
      shutdownTimeout: 5_000,
      connectTimeout: 5_000,
      commandTimeout: undefined,
      stallTimeout: 30_000,
      maxRetriesPerRequest: 2,
      reconnect: { initialDelay: 50, maxDelay: 1_000 },
      pool: { size: 10, acquireTimeout: 5_000, queueLimit: 1_000, idleTimeout: 30_000 },
      driver: {},
      warnings: [],
    });
  });

  it('takes every option', () => {
    const options = {
      db: 2,
      clientName: 'atlas/web',
      startup: 'optional',
      startupTimeout: 1,
      shutdownTimeout: 0,
      connectTimeout: '2s',
      commandTimeout: '3s',
      maxRetriesPerRequest: 0,
      reconnect: { initialDelay: 0, maxDelay: '1m' },
      pool: { size: 1, acquireTimeout: '1s', queueLimit: 0, idleTimeout: '2s' },
      driver: { enableAutoPipelining: false, family: 6, reconnectOnError },
    };
    expect(resolve({ options: { host: 'a', ...options } })).toMatchObject({
      ...options,
      connectTimeout: 2_000,
      commandTimeout: 3_000,
      reconnect: { initialDelay: 0, maxDelay: 60_000 },
      pool: { size: 1, acquireTimeout: 1_000, queueLimit: 0, idleTimeout: 2_000 },
    });
  });

  it('names the client after the connection, in letters that Redis takes', () => {
    expect(resolve({ name: 'web sessions\n', options: { host: 'a' } }).clientName).toBe(
      'rednest:web_sessions_',
    );
  });

  it('tells all problems at once, on a line each', () => {
    const error = refusal({
      env: { REDIS_PORT: '70000', REDIS_URL: 'redis://app:s3cret@cache', REDIS_DB: 'x' },
      options: { pool: { size: 0 } },
    });
    expect(error).toBeInstanceOf(RedisError);
    expect(error).toMatchObject({
      name: 'RedisConfigurationError',
      code: 'REDIS_CONFIGURATION',
      retryable: false,
    });
    expect(error.message).toBe(
      [
        "Redis connection 'default' is not configured correctly:",
        '  - REDIS_PORT: 70000 is not a port (1 to 65535; a Kubernetes tcp://host:port is understood)',
        "  - REDIS_DB: 'x' is not a database number (0 or more)",
        '  - REDIS_PORT: is given, but the address is that of REDIS_URL; a port goes with host only',
        '  - pool.size: 0 is not a number of connections (an integer of 1 or more)',
      ].join('\n'),
    );
    expect(error.problems).toHaveLength(4);
    expect(error.problems.at(-1)).toEqual({
      option: 'pool.size',
      message: '0 is not a number of connections (an integer of 1 or more)',
    });
  });

  const duration = "is not a duration (milliseconds as a number, or text such as '250ms', '5s', '10m')";
  const retries = 'is not a number of attempts (an integer of 0 or more)';
  it.each([
    [{ db: 1.5 }, 'db: 1.5 is not a database number (an integer of 0 or more)'],
    [{ db: -1 }, 'db: -1 is not a database number (an integer of 0 or more)'],
    [{ db: '1' }, "db: '1' is not a database number (an integer of 0 or more)"],
    [{ maxRetriesPerRequest: -1 }, `maxRetriesPerRequest: -1 ${retries}`],
    [{ maxRetriesPerRequest: null }, `maxRetriesPerRequest: null ${retries}`],
    [{ maxRetriesPerRequest: Infinity }, `maxRetriesPerRequest: Infinity ${retries}`],
    [{ startup: 'maybe' }, "startup: 'maybe' is not 'required' or 'optional'"],
    [{ startup: true }, "startup: true is not 'required' or 'optional'"],
    [{ connectTimeout: '5' }, `connectTimeout: '5' ${duration}`],
    [{ connectTimeout: -1 }, `connectTimeout: -1 ${duration}`],
    [{ connectTimeout: 0 }, 'connectTimeout: 0 is not more than 0 ms'],
    [{ commandTimeout: '0ms' }, "commandTimeout: '0ms' is not more than 0 ms"],
    [{ startupTimeout: NaN }, `startupTimeout: NaN ${duration}`],
    [{ shutdownTimeout: '5 s' }, `shutdownTimeout: '5 s' ${duration}`],
    [{ startupTimeout: '25d' }, "startupTimeout: '25d' is more than the 24.8 days that a timer can wait"],
    [
      { reconnect: { initialDelay: '5s' } },
      'reconnect.initialDelay: is 5000 ms, more than reconnect.maxDelay (1000 ms)',
    ],
    [{ reconnect: 5 }, 'reconnect: 5 is not an object of initialDelay, maxDelay'],
    [{ pool: { size: 0 } }, 'pool.size: 0 is not a number of connections (an integer of 1 or more)'],
    [{ pool: { queueLimit: 1.5 } }, 'pool.queueLimit: 1.5 is not an integer of 0 or more'],
    [{ pool: { acquireTimeout: 'soon' } }, `pool.acquireTimeout: 'soon' ${duration}`],
    [{ pool: [] }, 'pool: an array is not an object of size, acquireTimeout, queueLimit, idleTimeout'],
    [{ clientName: '' }, "clientName: '' is not a text with at least one letter"],
    ...['a b', 'a\nb', 'größe'].map((clientName): [object, string] => [
      { clientName },
      `clientName: '${clientName.replace('\n', '\\n')}' is not a name that Redis takes: no spaces, line breaks or letters outside ASCII`,
    ]),
    [{ driver: 5 }, 'driver: 5 is not an object of ioredis options'],
  ])('refuses %j', (options, problem) => {
    expect(problemsOf({ options: { host: 'a', ...options } })).toEqual([problem]);
  });

  it.each([null, undefined, 5, 'redis://a', []])('refuses %p in the place of options', (options) => {
    const error = (): unknown => resolve({ options: options === undefined ? null : options });
    expect(error).toThrow(/- options: .* is not an object of options/);
  });
});

describe('unknown options', () => {
  it.each([
    [{ hots: 'a' }, 'hots: is not an option of rednest; did you mean host?'],
    [{ pool: { sise: 1 } }, 'pool.sise: is not an option of rednest; did you mean size?'],
    [
      { pool: { max: 1 } },
      'pool.max: is not an option of rednest; known are size, acquireTimeout, queueLimit, idleTimeout',
    ],
    [
      { reconnect: { maxdelay: 1 } },
      'reconnect.maxdelay: is not an option of rednest; did you mean maxDelay?',
    ],
    [{ passwrod: 's3cret' }, 'passwrod: is not an option of rednest; did you mean password?'],
    [{ lazyConnect: true }, 'lazyConnect: is not an option of rednest; use the option startup'],
    [{ retryStrategy: 1 }, 'retryStrategy: is not an option of rednest; use the option reconnect'],
    [
      { 'a\nb': 1 },
      expect.stringMatching(
        /^a\\nb: is not an option of rednest; known are url, .*; options of ioredis go under driver$/,
      ),
    ],
    [{ isGlobal: true }, expect.stringMatching(/^isGlobal: is not an option of rednest; known are url, /)],
  ])('%j', (options, problem) => {
    expect(problemsOf({ options })).toEqual([problem]);
  });

  it('in a sentinel and a cluster', () => {
    const sentinel = { masterName: 'main', nodes: ['a'], name: 'x' };
    expect(problemsOf({ options: { sentinel } })).toEqual([
      expect.stringMatching(/^sentinel\.name: is not an option/),
    ]);
    const cluster = { nodes: ['a'], natmap: {} };
    expect(problemsOf({ options: { cluster } })).toEqual([
      'cluster.natmap: is not an option of rednest; did you mean natMap?',
    ]);
  });
});

describe('driver options', () => {
  it.each(OWNED_DRIVER_OPTIONS)('%s is refused, with what to use instead', (option) => {
    const [problem, ...others] = problemsOf({ options: { driver: { [option]: 's3cret' } } });
    expect(others).toEqual([]);
    expect(problem).toMatch(new RegExp(`^driver\\.${option}: is set by rednest; `));
    expect(problem).not.toContain('s3cret');
  });

  it('names options that exist', () => {
    const message = problemsOf({
      options: { driver: { connectionName: 'x', tls: {}, retryStrategy: null } },
    }).join();
    for (const option of ['clientName', 'tls', 'reconnect'])
      expect(message).toContain(`use the option ${option}`);
  });

  it('passes on the others, and drops what is undefined', () => {
    const driver = { enableReadyCheck: false, slotsRefreshTimeout: 5, host: undefined };
    expect(resolve({ options: { driver } }).driver).toStrictEqual({
      enableReadyCheck: false,
      slotsRefreshTimeout: 5,
    });
  });
});
