import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TopKeys } from './top-keys.js';

const entries = fc.array(
  fc.record({ key: fc.string({ maxLength: 2 }), size: fc.integer({ min: 0, max: 5 }) }),
);

it('has the biggest of all, those of one size by their bytes, and each once', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 8 }), (shown, room) => {
      const sizes = new Map(shown.map(({ key, size }) => [key, size]));
      const top = new TopKeys(room);
      for (const { key } of shown) top.add({ key: Buffer.from(key), size: sizes.get(key)! });
      const expected = [...sizes]
        .map(([key, size]) => ({ key: Buffer.from(key), size }))
        .toSorted((left, right) => right.size - left.size || Buffer.compare(left.key, right.key))
        .slice(0, room);
      expect(top.sorted()).toEqual(expected);
    }),
  );
});
