import { describe, expect, it } from '@jest/globals';
import { ReadSize } from './read-size.js';

const MEGABYTE = 1_024 * 1_024;

describe('the size of a read', () => {
  it('is small at first, and for all streams together', () => {
    expect(new ReadSize().count(1)).toBe(32);
    expect(new ReadSize().count(8)).toBe(4);
  });

  it('is less at once where entries are larger, and grows slowly where they are smaller', () => {
    const size = new ReadSize();
    size.note(4, 16 * MEGABYTE);
    expect(size.count(1)).toBe(2);
    size.note(2, 100);
    expect(size.count(1)).toBe(4);
    for (let times = 0; times < 20; times++) size.note(10, 1_000);
    expect(size.count(8)).toBeGreaterThan(1_000);
  });

  it('is one entry at least', () => {
    const size = new ReadSize();
    size.note(1, 100 * MEGABYTE);
    expect(size.count(8)).toBe(1);
  });
});
