import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PubSubConfigurationError } from './pubsub-configuration-error.js';
import type { PubSubRootOptions } from './pubsub-options.js';
import { resolveRootOptions } from './resolve-pubsub-options.js';
import { currentTraceparent } from './traceparent.js';

const problemsOf = (options: unknown): readonly { option: string; message: string }[] => {
  try {
    resolveRootOptions(options as PubSubRootOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(PubSubConfigurationError);
    return (error as PubSubConfigurationError).problems;
  }
  return [];
};

describe('resolveRootOptions', () => {
  it('knows what is good for most', () => {
    expect(resolveRootOptions({})).toEqual({
      namespace: 'events',
      publishTimeout: 2_000,
      maxSize: 1_048_576,
      topics: {},
      lease: 10_000,
      shutdownTimeout: 10_000,
      deadLetters: 10_000,
      consumer: expect.stringMatching(/^[\w-]{1,40}$/),
      traceparent: undefined,
      validator: {},
      defaults: {
        retries: 5,
        backoff: { initial: 1_000, max: 300_000 },
        once: 0,
        concurrency: 10,
        timeout: Infinity,
        buffer: 1_000,
        overflow: 'drop-oldest',
      },
    });
  });

  it('takes what is given', () => {
    const traceparent = (): undefined => undefined;
    const topics = { 'city.deleted': { delivery: 'durable', partitions: 2 } } as const;
    const given: PubSubRootOptions = {
      namespace: 'a:b',
      publishTimeout: '5s',
      maxSize: '64kb',
      topics,
      lease: '1s',
      shutdownTimeout: 0,
      deadLetters: 5,
      consumer: 'pod-1',
      traceparent,
      validator: { whitelist: true },
      retries: 0,
      backoff: { initial: '2s' },
      once: true,
      concurrency: 3,
      timeout: '9s',
      buffer: 7,
      overflow: 'wait',
    };
    expect(resolveRootOptions(given)).toEqual({
      ...given,
      publishTimeout: 5_000,
      maxSize: 65_536,
      lease: 1_000,
      defaults: {
        retries: 0,
        backoff: { initial: 2_000, max: 300_000 },
        once: 3_600_000,
        concurrency: 3,
        timeout: 9_000,
        buffer: 7,
        overflow: 'wait',
      },
      ...Object.fromEntries(
        ['retries', 'backoff', 'once', 'concurrency', 'timeout', 'buffer', 'overflow'].map((name) => [
          name,
          undefined,
        ]),
      ),
    });
  });

  it.each([
    ['namespace', ['', 'a b', '{a}', 5]],
    ['timeout', [0, -1, 'x', Infinity]],
    ['publishTimeout', [0, -1, 'x', Infinity]],
    ['maxSize', [0, 511, '1tb', '513mb', -1]],
    ['topics', [5, [], null]],
    ['lease', [0, 199, 'x']],
    ['shutdownTimeout', [-1, 'x']],
    ['deadLetters', [0, 1.5, '5']],
    ['consumer', ['', 'a.b', 'x'.repeat(41)]],
    ['traceparent', ['00-', 5]],
    ['validator', [5, [], null]],
    ['retries', [-1, 1.5, '5', Infinity]],
    ['backoff', [5, '1s', []]],
    ['once', [0, 'x', -1, null]],
    ['concurrency', [0, 1.5, Infinity]],
    ['buffer', [0, -1, Infinity]],
    ['overflow', ['drop', true]],
    ['from', ['now']],
    ['group', ['a']],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values)
      expect(problemsOf({ [option]: value })).toEqual([{ option, message: expect.any(String) }]);
  });

  it('says which topic is wrong, and all that is', () => {
    const topics = {
      'a b': {},
      a: { partitions: 2, version: 5 },
      b: { delivery: 'durable', keep: 'x' },
      c: 5,
    };
    expect(problemsOf({ topics, lease: 0 }).map(({ option }) => option)).toEqual([
      "topics['a b']",
      "topics['a'].version",
      "topics['a'].partitions",
      "topics['b'].keep",
      "topics['c']",
      'lease',
    ]);
  });

  it('compares the pauses between attempts', () => {
    expect(problemsOf({ backoff: { initial: '2s', max: '1s' } })).toMatchObject([
      { option: 'backoff.initial' },
    ]);
    expect(resolveRootOptions({ backoff: { initial: '1h' } }).defaults.backoff.max).toBe(3_600_000);
    expect(resolveRootOptions({ backoff: { max: 10 } }).defaults.backoff).toEqual({ initial: 10, max: 10 });
  });

  it('never gives what the bus cannot work with, whatever is asked for', () => {
    const value = fc.oneof(
      fc.anything(),
      fc.double(),
      fc.nat(),
      fc.constantFrom('1s', '5m', '1kb', true, false),
    );
    const numbers = ['publishTimeout', 'maxSize', 'lease', 'shutdownTimeout', 'deadLetters'] as const;
    const counts = ['retries', 'once', 'concurrency', 'buffer'] as const;
    const asked = fc.record(
      Object.fromEntries([...numbers, ...counts, 'backoff'].map((name) => [name, value])),
      { requiredKeys: [] },
    );
    const check = (options: object): void => {
      if (problemsOf(options).length > 0) return;
      const resolved = resolveRootOptions(options);
      for (const name of numbers) expect(resolved[name]).toBeGreaterThanOrEqual(0);
      for (const name of counts) expect(Number.isSafeInteger(resolved.defaults[name])).toBe(true);
    };
    fc.assert(fc.property(asked, check), { numRuns: 500 });
  });
});

describe('currentTraceparent', () => {
  const trace = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`;

  it('is what the function gives, if that is one', () => {
    expect(currentTraceparent(() => trace)).toBe(trace);
    expect(currentTraceparent(undefined)).toBeUndefined();
  });

  it.each([
    '',
    trace.toUpperCase(),
    `${trace}0`,
    trace.replace('00', 'ff'),
    `00-${'0'.repeat(32)}-${'b2'.repeat(8)}-01`,
    5,
  ])('is nothing where that is %p', (wrong) => {
    expect(currentTraceparent(() => wrong as string)).toBeUndefined();
  });

  it('is nothing where it throws', () => {
    const broken = (): never => {
      throw new Error('no');
    };
    expect(currentTraceparent(broken)).toBeUndefined();
  });
});
