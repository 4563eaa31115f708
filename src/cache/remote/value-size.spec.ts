import { describe, expect, it } from '@jest/globals';
import { COMMAND_BYTES, ValueSize } from './value-size.js';

describe('the size of values', () => {
  it('is not known at first, and limits nothing', () => {
    expect(new ValueSize().perCommand).toBe(Infinity);
  });

  it('is learnt at once from many, and by and by from single ones', () => {
    const size = new ValueSize();
    size.learn(100 * COMMAND_BYTES, 100);
    expect(size.perCommand).toBe(1);
    for (let i = 0; i < 1_000; i++) size.learn(1_000, 1);
    expect(size.perCommand).toBeGreaterThan(500);
    size.learn(COMMAND_BYTES, 1);
    expect(size.perCommand).toBeGreaterThan(50);
  });

  it('is never so large that nothing could be read', () => {
    const size = new ValueSize();
    size.learn(100 * COMMAND_BYTES, 1);
    expect(size.perCommand).toBe(1);
    size.learn(0, 100);
    expect(size.perCommand).toBe(Infinity);
  });
});
