import { expect, it } from '@jest/globals';
import { lifetimeOf } from './keyv-lifetime.js';

const TEN_YEARS = 315_360_000_000;

it.each([
  [1, 1],
  [0.5, 0.5],
  [60_000, 60_000],
  [undefined, TEN_YEARS],
  [0, TEN_YEARS],
  [Number.NaN, TEN_YEARS],
  [Infinity, TEN_YEARS],
  [Number.MAX_SAFE_INTEGER, TEN_YEARS],
  [-1, undefined],
  [-Infinity, undefined],
])('a ttl of %p is %p milliseconds', (ttl, expected) => {
  expect(lifetimeOf(ttl)).toBe(expected);
});
