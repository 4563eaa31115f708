import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { deskOf } from '../entry/desk.js';
import { msgpackCodec } from './msgpack-codec.js';

const KEY = 'city:1';
const readRange = msgpackCodec.rangeReader();

function roundTrip(value: unknown): unknown {
  const bytes = msgpackCodec.encode(value, KEY);
  const decoded = msgpackCodec.decode(bytes, KEY);
  expect(msgpackCodec.encode(decodeOnDesk(bytes), KEY)).toEqual(msgpackCodec.encode(decoded, KEY));
  return decoded;
}

/** From the middle of other bytes, as the cache does it. */
function decodeOnDesk(bytes: Buffer): unknown {
  const { bytes: desk, view } = deskOf(bytes.length + 8);
  desk.fill(0x93).set(bytes, 4);
  return readRange(desk, 4, 4 + bytes.length, view);
}

/** -0 comes back as 0, as with JSON; a lone surrogate has no UTF-8. */
const leaf = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.double().map((number) => (number === 0 ? 0 : number)),
  fc.integer(),
  fc.boolean(),
  fc.bigInt(),
  fc.constantFrom(null, undefined, NaN, Infinity, -Infinity),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.uint8Array(),
);
const fieldName = fc.string().filter((name) => name !== '__proto__');
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('value')),
    fc.dictionary(fieldName, tie('value'), { noNullPrototype: true }),
    fc.array(fc.tuple(leaf, tie('value'))).map((entries) => new Map(entries)),
    fc.array(tie('value')).map((values) => new Set(values)),
  ),
}));

describe('msgpackCodec', () => {
  it('gives back what it was given: nested objects, arrays, Maps, Sets, Dates, bytes, bigints, undefined, NaN', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(roundTrip(value)).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });

  it('does so for many objects of a shape, and of many shapes', () => {
    const shapes = fc.array(fc.dictionary(fieldName, leaf, { noNullPrototype: true }), { minLength: 10 });
    fc.assert(
      fc.property(shapes, (objects) => {
        const value = [...objects, ...objects.map((object) => ({ ...object })), ...objects];
        expect(roundTrip(value)).toStrictEqual(value);
      }),
    );
  });

  it.each([
    ['small', { bytes: Buffer.from('bytes'), tiny: new Uint8Array([1, 2]) }],
    ['large', Array.from({ length: 70 }, () => Buffer.from('bytes'))],
  ])('gives Buffers back as Buffers of their own, in something %s', (_, value) => {
    const bytes = msgpackCodec.encode(value, KEY);
    const decoded = Object.values(msgpackCodec.decode(bytes, KEY) as Record<string, Uint8Array>);
    bytes.fill(0);
    expect(decoded).toStrictEqual(Object.values(value));
    expect(Buffer.isBuffer(decoded[0])).toBe(true);
    for (const { buffer } of decoded) expect(buffer).not.toBe(bytes.buffer);
  });

  it('keeps bigints of any size', () => {
    const value = [2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 64n, -(2n ** 900n), 3n ** 50_000n];
    expect(roundTrip(value)).toStrictEqual(value);
  });

  it('keeps times before 1970, of milliseconds, far away and invalid', () => {
    const value = [-1, -1_500, 1, 999, 2 ** 32 * 1_000, 8.64e15, -8.64e15].map((time) => new Date(time));
    expect(roundTrip(value)).toStrictEqual(value);
    expect(String(roundTrip(new Date(NaN)))).toBe('Invalid Date');
  });

  it('keeps cycles, and what is referred to twice', () => {
    const shared = { name: 'shared' };
    const node: Record<string, unknown> = { shared, again: Array.from({ length: 70 }, () => shared) };
    node['self'] = node;
    const decoded = roundTrip(node) as typeof node & { again: unknown[] };
    expect(decoded['self']).toBe(decoded);
    expect(decoded.again[69]).toBe(decoded['shared']);
    expect(decoded['shared']).toStrictEqual(shared);
  });

  it('gives instances of classes back as plain objects, by their toJSON where they have one', () => {
    class City {
      readonly visitors = new Map([['ada', 1]]);
      constructor(readonly name: string) {}
    }
    class Money {
      toJSON(): string {
        return '5 EUR';
      }
    }
    const decoded = roundTrip([new City('Bern'), new Money(), Object.assign(Object.create(null), { a: 1 })]);
    expect(decoded).toStrictEqual([{ name: 'Bern', visitors: new Map([['ada', 1]]) }, '5 EUR', { a: 1 }]);
  });

  it('keeps RegExp and Error', () => {
    const [pattern, error] = roundTrip([/a+/giu, new RangeError('too far')]) as [RegExp, Error];
    expect(String(pattern)).toBe('/a+/giu');
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe('too far');
  });

  it.each([1, 70])('cannot be made to pollute a prototype, by %p objects', (count) => {
    const evil = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}}') as object;
    const [decoded] = roundTrip(Array.from({ length: count }, () => ({ ...evil }))) as object[];
    roundTrip(Array.from({ length: count }, () => evil));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect((decoded as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  });

  it('refuses symbols', () => {
    expect(() => msgpackCodec.encode({ symbol: Symbol('x') }, KEY)).toThrow('Unknown type: symbol');
    expect(roundTrip({ after: 1 })).toStrictEqual({ after: 1 });
  });

  it('gives bytes that the next call does not change', () => {
    const first = msgpackCodec.encode({ name: 'first' }, KEY);
    msgpackCodec.encode({ name: 'other' }, KEY);
    expect(msgpackCodec.decode(first, KEY)).toStrictEqual({ name: 'first' });
  });

  it('reads what another process wrote', () => {
    expect(
      msgpackCodec.decode(Buffer.from('0182a26964cd0400a46e616d65a44265726e', 'hex'), KEY),
    ).toStrictEqual({
      id: 1_024,
      name: 'Bern',
    });
    expect(
      msgpackCodec.decode(Buffer.from('0281d47240 91a26964 01 4002'.replaceAll(' ', ''), 'hex'), KEY),
    ).toStrictEqual(new Map([[{ id: 1 }, { id: 2 }]]));
  });

  it('throws, or reads something else, for bytes that are damaged: and reads on after that', () => {
    const whole = msgpackCodec.encode(
      [{ a: 1 }, new Map([[1, new Set(['x'])]]), Buffer.from('bytes'), 2n ** 70n],
      KEY,
    );
    const damaged = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.uint8Array().map((bytes) => Buffer.from([1, ...bytes])),
      fc.uint8Array().map((bytes) => Buffer.from([2, ...bytes])),
      fc.nat(whole.length - 1).map((length) => whole.subarray(0, length)),
      fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => {
        const copy = Buffer.from(whole);
        copy[at] = byte;
        return copy;
      }),
    );
    fc.assert(
      fc.property(damaged, (bytes) => {
        for (const decode of [decodeOnDesk, (each: Buffer) => msgpackCodec.decode(each, KEY)])
          try {
            decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        expect(msgpackCodec.decode(whole, KEY)).toHaveLength(4);
      }),
      { numRuns: 3_000 },
    );
  });
});
