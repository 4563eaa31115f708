import { describe, expect, it } from '@jest/globals';
import { Truces } from './truces.js';

const KEY = 7;

describe('a truce', () => {
  it('begins when a value that was encrypted anew is back under its key', () => {
    const truces = new Truces();
    expect(truces.beginIfBack('a', KEY)).toBe(false);
    truces.remember('a', KEY);
    expect([truces.beginIfBack('b', KEY), truces.beginIfBack('a', KEY + 1), truces.holds(KEY)]).toEqual([
      false,
      false,
      false,
    ]);
    expect(truces.beginIfBack('a', KEY)).toBe(true);
    expect([truces.holds(KEY), truces.holds(KEY + 1)]).toEqual([true, false]);
  });

  it('begins as well when far more values go back and forth than are remembered', () => {
    const truces = new Truces();
    const values = Array.from({ length: 5_000 }, (_, position) => `value:${position}`);
    for (const value of values) truces.remember(value, KEY);
    expect(values.some((value) => truces.beginIfBack(value, KEY))).toBe(true);
    expect(truces.holds(KEY)).toBe(true);
  });
});
