import { describe, expect, it } from '@jest/globals';
import { Packr } from 'msgpackr';
import { deskOf } from '../entry/desk.js';
import { TreeReader, UNKNOWN } from './tree-reader.js';

const packr = new Packr({ useRecords: false, variableMapSize: true, moreTypes: true });
const BEFORE = 3;

function read(reader: TreeReader, bytes: Uint8Array): unknown {
  const { bytes: desk, view } = deskOf(16_384);
  desk.set(bytes, BEFORE);
  return reader.read(desk, view, BEFORE, BEFORE + bytes.length);
}

function readOrFail(reader: TreeReader, bytes: Uint8Array): unknown {
  try {
    return read(reader, bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return UNKNOWN;
  }
}

function row(index: number): object {
  return {
    id: index,
    name: `Zürich ${index} 🏔`,
    place: { latitude: 47.3 + index, longitude: -8.5, '': null, 'two words': true },
    numbers: [-1, -33, -200, -70_000, 127, 128, 255, 256, 65_536, 2 ** 32 - 1, 2 ** 40, 0.5],
    texts: ['', 'a', 'b'.repeat(31), 'c'.repeat(32), 'd'.repeat(300), 'ü'.repeat(200)],
    times: [0, 1_715_937_871_000, 1_715_937_871_123, 2 ** 33 * 1_000].map((time) => new Date(time)),
    many: Object.fromEntries(Array.from({ length: 20 }, (_, key) => [`key${key}`, key])),
    missing: undefined,
    empty: {},
    1: 'a number as a key',
  };
}

describe('TreeReader', () => {
  it('reads objects of a shape, from the first to those for which it has compiled a function', () => {
    const reader = new TreeReader();
    for (let index = 0; index < 50; index++)
      expect(read(reader, packr.pack(row(index)))).toStrictEqual(row(index));
  });

  it('tells objects apart that begin with the same keys, and keys that begin with the same letters', () => {
    const reader = new TreeReader();
    const values = [{ a: 1 }, { a: 1, b: 2 }, { a: 1, bb: 2 }, { a: 1, bbbbb: 2 }, { b: 2, a: 1 }, {}];
    for (let round = 0; round < 30; round++)
      for (const value of values) expect(read(reader, packr.pack(value))).toStrictEqual(value);
  });

  it('leaves what is unusual to others', () => {
    const reader = new TreeReader();
    const unusual = [2n ** 64n, Buffer.from('bytes'), { ['k'.repeat(32)]: 1 }, /a/, new Date(-1), NaN];
    const known = unusual.filter((value) => read(reader, packr.pack({ value })) !== UNKNOWN);
    expect(known).toEqual([NaN]);
  });

  it('reads bigints of up to 64 bits', () => {
    const value = { smallest: -(2n ** 63n), largest: 2n ** 64n - 1n, none: 0n };
    expect(read(new TreeReader(), packr.pack(value))).toStrictEqual(value);
  });

  it('takes bytes that are damaged for no tree, and reads on after that', () => {
    const whole = packr.pack(row(1));
    for (let length = 0; length < whole.length; length++) {
      const reader = new TreeReader();
      expect(readOrFail(reader, whole.subarray(0, length))).toBe(UNKNOWN);
      expect(read(reader, Buffer.concat([whole, whole]))).toBe(UNKNOWN);
      expect(read(reader, whole)).toStrictEqual(row(1));
    }
  });

  it.each([16_382, 16_383, 16_384])('learns nothing of what is behind the bytes, which end at %p', (end) => {
    const reader = new TreeReader();
    const { bytes: desk, view } = deskOf(16_384);
    const cut = Buffer.from([0x83, 0xa1, 0x61, 1, 0xa1, 0x62, 0xc1]);
    desk.set(cut, end - cut.length);
    expect(reader.read(desk, view, end - cut.length, end)).toBe(UNKNOWN);
    expect(read(reader, packr.pack({ a: 1, b: 2, c: 3 }))).toStrictEqual({ a: 1, b: 2, c: 3 });
  });

  it('lets no key change a prototype', () => {
    const reader = new TreeReader();
    const evil = packr.pack(new Map([['__proto__', { polluted: true }]]));
    for (let round = 0; round < 30; round++) {
      const tree = read(reader, evil) as Record<string, unknown>;
      expect(tree).toStrictEqual({ __proto_: { polluted: true } });
      expect(Object.getPrototypeOf(tree)).toBe(Object.prototype);
    }
  });

  it('goes on with the shapes that it knows beside some values that it does not', () => {
    const reader = new TreeReader();
    for (let index = 0; index < 5_000; index++) {
      if (index % 10 === 0) expect(read(reader, packr.pack(/unknown/))).toBe(UNKNOWN);
      expect(read(reader, packr.pack({ id: index }))).toStrictEqual({ id: index });
    }
  });

  it.each([
    ['of a type that it does not know', () => new Set([1])],
    ['whose keys are data', (index: number) => ({ [`key${index}`]: index })],
    ['of many shapes', (index: number) => ({ [`a${index % 20}`]: 1, [`b${index % 21}`]: 2 })],
  ])('rests where most values are %s, and has place for other shapes after that', (_, valueOf) => {
    const reader = new TreeReader();
    const bytes = Array.from({ length: 420 }, (__, index) => packr.pack(valueOf(index)));
    for (let index = 0; index < 10_000; index++) read(reader, bytes[index % bytes.length]!);
    const other = packr.pack({ id: 1, name: 'Bern' });
    expect(read(reader, other)).toBe(UNKNOWN);
    for (let index = 0; index < 10_000; index++) read(reader, other);
    expect(read(reader, other)).toStrictEqual({ id: 1, name: 'Bern' });
  });
});
