import { describe, expect, it } from '@jest/globals';
import { CacheError } from '../cache-errors.js';
import type { Codec } from '../codecs/codec.js';
import { jsonCodec } from '../codecs/json-codec.js';
import { msgpackCodec } from '../codecs/msgpack-codec.js';
import { CacheConfigurationError } from './cache-configuration-error.js';
import type { CacheOptions, CacheRootOptions } from './cache-options.js';
import { resolveNamedOptions, resolveRootOptions } from './resolve-cache-options.js';

const root = { namespace: 'atlas' };
const text: Codec = { id: 100, encode: (value) => Buffer.from(String(value)), decode: String };

/** The error of options that must be refused. */
function refusal(resolve: () => unknown): CacheConfigurationError {
  try {
    resolve();
  } catch (error) {
    if (error instanceof CacheConfigurationError) return error;
    throw error;
  }
  throw new Error('The options were accepted');
}

const show = ({ problems }: CacheConfigurationError) =>
  problems.map(({ option, message }) => `${option}: ${message}`);

/** Options may be against the types, as JavaScript allows. */
function problemsOf(options: unknown): string[] {
  return show(refusal(() => resolveRootOptions('default', options as CacheRootOptions)));
}

function named(options: CacheOptions, from: CacheRootOptions = root) {
  return resolveNamedOptions('pages', options, from);
}

describe('resolveRootOptions', () => {
  it('fills in the defaults', () => {
    expect(resolveRootOptions('default', root)).toEqual({
      backend: {
        namespace: 'atlas',
        coherence: undefined,
        budget: 50,
        breakerFailures: 3,
        breakerRetry: 250,
        batchSize: 500,
        pendingInvalidations: 10_000,
      },
      cache: {
        name: 'default',
        ttl: 300_000,
        stale: 0,
        jitter: 0,
        softTimeout: 0,
        hardTimeout: undefined,
        earlyRefresh: 0,
        errors: undefined,
        lease: 3_000,
        refreshRetry: 1_000,
        local: { maxEntries: 10_000, maxBytes: 67_108_864, maxAge: undefined, values: 'shared' },
        codec: msgpackCodec,
        compression: undefined,
        encrypt: false,
        maxValueSize: 8_388_608,
        oversize: 'skip',
      },
    });
  });

  it('takes every option', () => {
    const when = () => true;
    const { backend, cache } = resolveRootOptions('default', {
      namespace: 'atlas:web-1',
      coherence: 'pubsub',
      budget: '20ms',
      breakerFailures: 1,
      breakerRetry: '1s',
      batchSize: 10,
      pendingInvalidations: 1,
      ttl: '400d',
      stale: '1h',
      jitter: 0.1,
      softTimeout: '1s',
      hardTimeout: '2s',
      earlyRefresh: 1,
      errors: { ttl: '5s', when },
      lease: '10s',
      refreshRetry: 0,
      local: { maxEntries: 5, maxBytes: '1mb', maxAge: '30s', values: 'frozen' },
      codec: text,
      compression: { algorithm: 'brotli', threshold: 0 },
      encrypt: true,
      maxValueSize: '1kb',
      oversize: 'throw',
    });
    expect(backend).toEqual({
      namespace: 'atlas:web-1',
      coherence: 'pubsub',
      budget: 20,
      breakerFailures: 1,
      breakerRetry: 1_000,
      batchSize: 10,
      pendingInvalidations: 1,
    });
    expect(cache).toEqual({
      name: 'default',
      ttl: 34_560_000_000,
      stale: 3_600_000,
      jitter: 0.1,
      softTimeout: 1_000,
      hardTimeout: 2_000,
      earlyRefresh: 1,
      errors: { ttl: 5_000, when },
      lease: 10_000,
      refreshRetry: 0,
      local: { maxEntries: 5, maxBytes: 1_048_576, maxAge: 30_000, values: 'frozen' },
      codec: text,
      compression: { algorithm: 'brotli', threshold: 0 },
      encrypt: true,
      maxValueSize: 1_024,
      oversize: 'throw',
    });
  });

  it('takes what is off, and the names of codecs', () => {
    const off = { ...root, local: false, errors: false, compression: false, codec: 'json' } as const;
    const expected = { local: undefined, errors: undefined, compression: undefined, codec: jsonCodec };
    expect(resolveRootOptions('default', off).cache).toMatchObject(expected);
  });

  it('takes the name of an algorithm for a compression', () => {
    const { cache } = resolveRootOptions('default', { ...root, compression: 'gzip' });
    expect(cache.compression).toEqual({ algorithm: 'gzip', threshold: 4_096 });
  });

  it('counts what is undefined as not given', () => {
    const options = { ...root, ttl: undefined, local: undefined } as unknown as CacheRootOptions;
    expect(resolveRootOptions('default', options)).toEqual(resolveRootOptions('default', root));
  });

  it('tells all problems at once, on a line each', () => {
    const error = refusal(() =>
      resolveRootOptions('default', { ttl: '10 minutes', lcoal: false, jitter: 2 } as never),
    );
    expect(error).toBeInstanceOf(CacheError);
    expect(error).toMatchObject({ name: 'CacheConfigurationError', code: 'CACHE_CONFIGURATION' });
    expect(error.message).toBe(
      [
        "Cache 'default' is not configured correctly:",
        '  - lcoal: is not an option of rednest; did you mean local?',
        "  - namespace: is missing: the first part of every key, such as 'atlas'",
        "  - ttl: '10 minutes' is not a duration (milliseconds as a number, or text such as '250ms', '5s', '10m')",
        '  - jitter: 2 is not a share (0 to 1)',
      ].join('\n'),
    );
  });

  it.each<[string, object, string | RegExp]>([
    ['namespace', { namespace: 'a b' }, /^namespace: 'a b' is not a namespace \(letters, digits/],
    ['an empty namespace', { namespace: '' }, /^namespace: '' is not a namespace/],
    ['a namespace with a pattern in it', { namespace: 'a*' }, /^namespace: 'a\*' is not/],
    ['ttl', { ttl: 0 }, 'ttl: 0 is not more than 0 ms'],
    ['ttl', { ttl: '40000d' }, "ttl: '40000d' is more than 36500 days"],
    ['stale', { stale: -1 }, /^stale: -1 is not a duration/],
    ['jitter', { jitter: '10%' }, "jitter: '10%' is not a share (0 to 1)"],
    ['softTimeout', { softTimeout: '30d' }, /^softTimeout: '30d' is more than the 24.8 days that a timer/],
    [
      'softTimeout and hardTimeout',
      { softTimeout: '2s', hardTimeout: '1s' },
      'softTimeout: is 2000 ms, more than hardTimeout (1000 ms)',
    ],
    ['earlyRefresh', { earlyRefresh: NaN }, 'earlyRefresh: NaN is not a factor (0 or more; 1 is a good one)'],
    ['errors', { errors: true }, 'errors: true is not false or an object of ttl, when'],
    ['errors.ttl', { errors: {} }, 'errors.ttl: is missing: errors are cached for a short time only'],
    [
      'errors.when',
      { errors: { ttl: 1, when: 'always' } },
      "errors.when: 'always' is not a function of the error",
    ],
    [
      'local',
      { local: true },
      'local: true is not false or an object of maxEntries, maxBytes, maxAge, values',
    ],
    [
      'local.maxEntries',
      { local: { maxEntries: 0 } },
      /^local.maxEntries: 0 is not a number of entries .*local: false/,
    ],
    ['local.maxBytes', { local: { maxBytes: '64 MB' } }, /^local.maxBytes: '64 MB' is not a size/],
    [
      'local.values',
      { local: { values: 'copied' } },
      "local.values: 'copied' is not 'shared' or 'cloned' or 'frozen'",
    ],
    ['local.size', { local: { size: 1 } }, /^local.size: is not an option of rednest; known are maxEntries/],
    ['codec', { codec: 'xml' }, "codec: 'xml' is not 'msgpack', 'json' or an object of id, encode, decode"],
    [
      'codec.id',
      { codec: { ...text, id: 1 } },
      /^codec.id: 1 is not an id for a codec of your own \(an integer of 100/,
    ],
    ['codec.decode', { codec: { id: 100, encode: () => Buffer.of() } }, /^codec: an object is not 'msgpack'/],
    [
      'compression',
      { compression: 'lz4' },
      /^compression: 'lz4' is not 'gzip', 'brotli', 'zstd', false or an object/,
    ],
    [
      'compression.algorithm',
      { compression: {} },
      'compression.algorithm: is missing: gzip, brotli, zstd are accepted',
    ],
    [
      'compression.threshold',
      { compression: { algorithm: 'gzip', threshold: -1 } },
      /^compression.threshold: -1 is not/,
    ],
    ['maxValueSize', { maxValueSize: 0 }, /^maxValueSize: 0 is not a size .*, more than 0$/],
    ['oversize', { oversize: 'drop' }, "oversize: 'drop' is not 'skip' or 'throw'"],
    ['coherence', { coherence: 'push' }, "coherence: 'push' is not 'tracking' or 'pubsub' or 'none'"],
    ['breakerFailures', { breakerFailures: 0 }, 'breakerFailures: 0 is not an integer of 1 or more'],
    ['batchSize', { batchSize: 1e9 }, 'batchSize: 1000000000 is not an integer of 1 to 100000'],
    ['an option of the driver', { port: 6379 }, /^port: is not an option of rednest; known are ttl, stale/],
  ])('refuses: %s', (_, options, problem) => {
    expect(problemsOf({ ...root, ...options })).toEqual([
      typeof problem === 'string' ? problem : expect.stringMatching(problem),
    ]);
  });

  it.each([undefined, null, 'atlas', []])('refuses %p in the place of options', (options) => {
    expect(problemsOf(options)[0]).toMatch(/^options: .* is not an object of options$/);
  });
});

describe('resolveNamedOptions', () => {
  it('takes over what is not given', () => {
    const from: CacheRootOptions = { ...root, ttl: '1m', stale: '2m', codec: 'json', budget: '1s' };
    const expected = { name: 'pages', ttl: 60_000, stale: 1_000, codec: jsonCodec };
    expect(named({ stale: '1s' }, from)).toMatchObject(expected);
    expect(named({}, from)).not.toHaveProperty('budget');
  });

  it('lets each setting of the local tier count by itself, and those of other groups together', () => {
    const from: CacheRootOptions = {
      ...root,
      local: { maxEntries: 5, values: 'frozen' },
      errors: { ttl: 1, when: () => false },
    };
    const { local, errors } = named({ local: { maxEntries: 7 }, errors: { ttl: 2 } }, from);
    expect(local).toMatchObject({ maxEntries: 7, values: 'frozen' });
    expect(errors).toEqual({ ttl: 2 });
  });

  it('turns on and off what the others have', () => {
    expect(named({ local: false }, { ...root, local: { maxEntries: 5 } }).local).toBeUndefined();
    expect(named({ local: { maxEntries: 7 } }, { ...root, local: false }).local).toMatchObject({
      maxEntries: 7,
    });
    expect(named({ errors: false }, { ...root, errors: { ttl: 1 } }).errors).toBeUndefined();
    expect(named({ encrypt: false }, { ...root, encrypt: true }).encrypt).toBe(false);
    expect(named({}, { ...root, encrypt: true }).encrypt).toBe(true);
  });

  it('refuses what all caches share, and says where it goes', () => {
    const error = refusal(() => named({ namespace: 'b', budget: 1, ttl: -1 } as never));
    expect(error.message).toContain("Cache 'pages' is not configured correctly:");
    expect(show(error)).toEqual([
      'namespace: is shared by all caches; give it to CacheModule.forRoot',
      'budget: is shared by all caches; give it to CacheModule.forRoot',
      expect.stringMatching(/^ttl: -1 is not a duration/),
    ]);
  });

  it.each([undefined, null, 5])('refuses %p in the place of options', (options) => {
    expect(show(refusal(() => named(options as never)))).toEqual([
      expect.stringMatching(/^options: .* is not an object of options$/),
    ]);
  });
});
