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
    const unusual = [1n, Buffer.from('bytes'), { ['k'.repeat(32)]: 1 }, /a/, new Date(-1), NaN];
    const known = unusual.filter((value) => read(reader, packr.pack({ value })) !== UNKNOWN);
    expect(known).toEqual([NaN]);
  });

  it('leaves bytes that are damaged to others', () => {
    const reader = new TreeReader();
    const whole = packr.pack(row(1));
    for (let length = 0; length < whole.length; length++)
      expect(read(reader, whole.subarray(0, length))).toBe(UNKNOWN);
    expect(read(reader, Buffer.concat([whole, whole]))).toBe(UNKNOWN);
    expect(read(reader, whole)).toStrictEqual(row(1));
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

  it('goes on with the shapes that it knows beside objects whose keys are data, and learns others in the end', () => {
    const reader = new TreeReader();
    const known = packr.pack({ id: 1, name: 'Bern' });
    read(reader, known);
    let learnt = 0;
    for (let key = 0; key < 20_000; key++) {
      read(reader, packr.pack({ [`key${key}`]: key }));
      if (key < 5_000) expect(read(reader, known)).toEqual({ id: 1, name: 'Bern' });
      if (key % 1_000 === 0 && read(reader, packr.pack({ late: key })) !== UNKNOWN) learnt++;
    }
    expect(learnt).toBeGreaterThan(0);
  });
});
