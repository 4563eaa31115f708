import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { RedisConfigurationError } from './configuration-error.js';
import { parseDuration } from './duration.js';
import type { Duration } from './redis-options.js';

describe('parseDuration', () => {
  it.each<[Duration, number]>([
    [0, 0],
    [250, 250],
    ['0ms', 0],
    ['250ms', 250],
    ['5s', 5_000],
    ['1.5s', 1_500],
    ['10m', 600_000],
    ['1h', 3_600_000],
    ['30d', 2_592_000_000],
  ])('reads %p as %p ms', (value, milliseconds) => {
    expect(parseDuration(value, 'ttl')).toBe(milliseconds);
  });

  it.each([
    ['5'],
    ['-5s'],
    ['5 s'],
    ['5S'],
    ['1e3ms'],
    ['s'],
    [''],
    ['5w'],
    ['5s5s'],
    [`${'9'.repeat(400)}s`],
    [-1],
    [NaN],
    [Infinity],
    [null],
    [undefined],
    [{}],
    [true],
  ])('refuses %p, naming the option', (value) => {
    const parse = (): number => parseDuration(value as Duration, 'ttl');
    expect(parse).toThrow(RedisConfigurationError);
    expect(parse).toThrow(
      /An option is not configured correctly:\n {2}- ttl: .* is not a duration \(milliseconds/,
    );
  });

  it('agrees with the unit, whatever the number', () => {
    const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
    const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]));
    fc.assert(
      fc.property(fc.nat(), unit, (amount, name) => {
        expect(parseDuration(`${amount}${name}`, 'ttl')).toBe(amount * units[name]);
      }),
    );
  });

  it('answers a finite number of 0 or more, or refuses', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double(), fc.anything()), (value) => {
        try {
          expect(parseDuration(value as Duration, 'ttl')).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(RedisConfigurationError);
        }
      }),
    );
  });
});
