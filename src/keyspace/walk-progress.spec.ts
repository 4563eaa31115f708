import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { positionOf } from './walk-progress.js';

/** The cursors of SCAN in a hash table of 2^bits, as Redis counts: from the highest bit of the index down. */
function cursorsOf(bits: number): string[] {
  const reverse = (index: number): string =>
    index.toString(2).padStart(bits, '0').split('').toReversed().join('');
  return Array.from({ length: 2 ** bits }, (_, index) => String(Number.parseInt(reverse(index), 2)));
}

it('knows which part of a table lies before a cursor', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), (bits) => {
      const positions = cursorsOf(bits).map(positionOf);
      expect(positions).toEqual(positions.map((_, index) => index / 2 ** bits));
    }),
  );
});

it('takes any cursor for one', () => {
  expect(positionOf('0')).toBe(0);
  expect(positionOf(String(2n ** 64n - 1n))).toBeLessThanOrEqual(1);
});
