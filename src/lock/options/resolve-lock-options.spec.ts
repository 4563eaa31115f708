import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { LockConfigurationError } from './lock-configuration-error.js';
import type { LockOptions, LockRootOptions } from './lock-options.js';
import { LOCK_OPTIONS, resolveLockOptions, resolveRootOptions, resolveTtl } from './resolve-lock-options.js';

const { defaults } = resolveRootOptions({});

/** As from a configuration in which it is missing. */
const NOTHING: object = { renew: undefined };

const problemsOf = (resolve: () => unknown): readonly { option: string; message: string }[] => {
  try {
    resolve();
  } catch (error) {
    expect(error).toBeInstanceOf(LockConfigurationError);
    return (error as LockConfigurationError).problems;
  }
  return [];
};

describe('resolveRootOptions', () => {
  it('knows what is good for most', () => {
    expect(resolveRootOptions({})).toEqual({
      namespace: 'lock',
      timeout: 1_000,
      onShutdown: 'release',
      holder: expect.stringMatching(/^[\w-]{1,40}$/),
      defaults: {
        ttl: 10_000,
        wait: 10_000,
        renew: true,
        signal: undefined,
        reentrant: false,
        atMostFor: Infinity,
        atLeastFor: 0,
      },
    });
  });

  it('takes what is given, and undefined for not given', () => {
    const given: LockRootOptions = { namespace: 'a:b', ttl: '1m', wait: Infinity, holder: 'x' };
    expect(resolveRootOptions({ ...given, ...NOTHING })).toMatchObject({
      namespace: 'a:b',
      timeout: 1_000,
      holder: 'x',
      defaults: { ttl: 60_000, wait: Infinity, renew: true },
    });
  });

  it.each([
    ['namespace', ['', 'a b', 'a:', ':a', '{a}', 'a*', 5, null]],
    ['holder', ['', 'a b', 'a.b', 'a:b', 'x'.repeat(41), 5, null]],
    ['timeout', [0, -1, 'x', '1 s', NaN, null, '25d']],
    ['onShutdown', ['', 'keep', true, null]],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values) {
      const problems = problemsOf(() => resolveRootOptions({ [option]: value }));
      expect(problems).toEqual([{ option, message: expect.any(String) }]);
    }
  });

  it.each([undefined, null, 5, 'x', [], true])('refuses %p for options', (options) => {
    expect(problemsOf(() => resolveRootOptions(options as never))[0]).toMatchObject({ option: 'options' });
  });

  it.each(['reentrant', 'signal', 'atMostFor', 'atLeastFor'])('has no %s for all acquisitions', (option) => {
    expect(problemsOf(() => resolveRootOptions({ [option]: 100 }))).toHaveLength(1);
  });
});

describe('resolveLockOptions', () => {
  it('takes what is given, and the defaults for the rest', () => {
    const { signal } = new AbortController();
    const others = { ...defaults, ttl: 7_000, wait: 0 };
    expect(resolveLockOptions('a', { signal, wait: '2s', atMostFor: '1h' }, others)).toEqual({
      ...others,
      signal,
      wait: 2_000,
      atMostFor: 3_600_000,
    });
    expect(resolveLockOptions('a', NOTHING, others)).toEqual(others);
  });

  it('gives whole milliseconds to Redis, never fewer', () => {
    expect(resolveLockOptions('a', { ttl: 50.2, atMostFor: '0.1234s' }, defaults)).toMatchObject({
      ttl: 51,
      atMostFor: 124,
    });
    expect(resolveTtl('a', '1.0005s')).toBe(1_001);
  });

  it('says whose options they are, and all that is wrong with them', () => {
    const options = {
      ttl: 10,
      wait: -1,
      renew: 'x',
      reentrant: 0,
      signal: {},
      atMostFor: 1,
      atLeastFor: '1 h',
    };
    const problems = problemsOf(() => resolveLockOptions('The lock', options as never, defaults));
    expect(problems.map(({ option }) => option).toSorted()).toEqual(Object.keys(LOCK_OPTIONS).toSorted());
    expect(() => resolveLockOptions('The lock', options as never, defaults)).toThrow(/^The lock /);
  });

  it('compares atLeastFor with atMostFor, wherever it comes from', () => {
    const others = { ...defaults, atMostFor: 500 };
    expect(problemsOf(() => resolveLockOptions('a', { atLeastFor: 501 }, others))).toHaveLength(1);
    expect(problemsOf(() => resolveLockOptions('a', { atLeastFor: 500 }, others))).toEqual([]);
  });

  it('never gives what the engine cannot work with, whatever is asked for', () => {
    const value = fc.oneof(fc.anything(), fc.double(), fc.nat(), fc.constantFrom('1s', '5m', true, false));
    const options = fc.record(
      { ttl: value, wait: value, renew: value, reentrant: value, atMostFor: value, atLeastFor: value },
      { requiredKeys: [] },
    );
    const check = (given: unknown): void => {
      let resolved;
      try {
        resolved = resolveLockOptions('a', given as LockOptions, defaults);
      } catch (error) {
        expect(error).toBeInstanceOf(LockConfigurationError);
        return;
      }
      const { ttl, wait, renew, reentrant, atMostFor, atLeastFor } = resolved;
      expect(Number.isSafeInteger(ttl) && ttl >= 50 && ttl < 2 ** 31).toBe(true);
      expect(wait === Infinity || (wait >= 0 && wait < 2 ** 31)).toBe(true);
      expect([typeof renew, typeof reentrant]).toEqual(['boolean', 'boolean']);
      expect(atMostFor === Infinity || (Number.isSafeInteger(atMostFor) && atMostFor >= 50)).toBe(true);
      expect(atLeastFor >= 0 && atLeastFor <= atMostFor).toBe(true);
    };
    fc.assert(fc.property(options, check), { numRuns: 500 });
  });
});
