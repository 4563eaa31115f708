import { describe, expect, it } from '@jest/globals';
import { deepFreeze } from './deep-freeze.js';

describe('deepFreeze', () => {
  it('freezes objects and arrays at any depth', () => {
    const value = { a: [{ b: { c: 1 } }], empty: {} };
    deepFreeze(value);
    for (const part of [value, value.a, value.a[0], value.a[0]!.b, value.empty])
      expect(Object.isFrozen(part)).toBe(true);
  });

  it('ends with what contains itself', () => {
    const value: Record<string, unknown> = { a: 1 };
    value['self'] = [value];
    deepFreeze(value);
    expect(Object.isFrozen(value['self'])).toBe(true);
  });

  it.each([
    null,
    undefined,
    1,
    'text',
    5n,
    Buffer.from('x'),
    new Float64Array(2),
    new Map([['a', 1]]),
    new Date(),
  ])('takes %p as it is', (value) => {
    expect(() => deepFreeze({ value })).not.toThrow();
  });
});
