import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parseByteSize, toBytes, type ByteSize } from './byte-size.js';
import { RedisConfigurationError } from './configuration-error.js';

describe('parseByteSize', () => {
  it.each<[ByteSize, number]>([
    [0, 0],
    [4096, 4096],
    ['0b', 0],
    ['100b', 100],
    ['4kb', 4_096],
    ['1.5kb', 1_536],
    ['64mb', 67_108_864],
    ['1gb', 1_073_741_824],
    ['0.0001kb', 0],
  ])('reads %p as %p bytes', (value, size) => {
    expect(parseByteSize(value, 'maxValueSize')).toBe(size);
  });

  it.each([
    ['5'],
    ['-5kb'],
    ['+5kb'],
    ['5 kb'],
    ['5KB'],
    ['1.5b'],
    ['1e3kb'],
    ['kb'],
    [''],
    ['5tb'],
    ['5kb5kb'],
    [`${'9'.repeat(400)}gb`],
    [-1],
    [1.5],
    [2 ** 53],
    [NaN],
    [Infinity],
    [null],
    [undefined],
    [{}],
    [[5]],
    [true],
    [5n],
  ])('refuses %p, naming the option and what is accepted', (value) => {
    const parse = (): number => parseByteSize(value as ByteSize, 'local.maxBytes');
    expect(parse).toThrow(RedisConfigurationError);
    expect(parse).toThrow(/\n {2}- local\.maxBytes: .* is not a size \(a whole number of bytes, or text/);
  });

  it('keeps the message short, whatever the value', () => {
    const parse = (): number => parseByteSize('9'.repeat(10_000) as ByteSize, 'maxValueSize');
    expect(parse).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{0,400}$/s) }));
  });

  it('answers a whole number of 0 or more, or undefined', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double(), fc.anything()), (value) => {
        const size = toBytes(value) ?? 0;
        expect(Number.isSafeInteger(size) && size >= 0).toBe(true);
      }),
    );
  });
});
