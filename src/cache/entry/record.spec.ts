import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { HEAD_LENGTH, readBorn, readRecord, writeRecord, type RecordFields } from './record.js';

const fields: RecordFields = {
  kind: 'value',
  codec: 1,
  compression: undefined,
  isEncrypted: false,
  leaseToken: 'a1B2c3D4',
  leaseUntil: 1_700_000_003_000,
  born: 1_700_000_000_000,
  freshUntil: 1_700_000_300_000,
  staleUntil: 1_700_000_600_000,
  cost: 12.5,
  tags: ['city:1', 'Zürich'],
  stamps: [1_700_000_000_000_001, 1_700_000_000_000_002, 1_700_000_000_000_003],
};
const payload = Buffer.from('payload');

/** To change this is to change the format: the Lua scripts must follow, and the version in the header must be raised. */
const GOLDEN = [
  '5243 01 01 01 00 0200', // RC, version, kind, codec, compression, number of tags
  '6131423263334434', // lease token
  '00803b57febc7842', // lease until
  '00008056febc7842', // born
  '0000be9ffebc7842', // fresh until
  '0000fce8febc7842', // stale until
  '00004841 21000000', // cost, length of the tags
  '0c00796090281843 07000000', // generation, length of the payload
  '0400796090281843 0600 636974793a31', // a tag: stamp, length, text
  '0800796090281843 0700 5ac3bc72696368',
  '7061796c6f6164', // payload
];

const time = fc.double({ min: 0, max: 1e15, noNaN: true });
const tag = fc.string({ unit: 'grapheme', maxLength: 30 });
/** Zeros stand for no token. */
const token = fc
  .string({ unit: 'binary-ascii', minLength: 8, maxLength: 8 })
  .filter((text) => text !== '\0'.repeat(8));
const anyFields = fc
  .record({
    kind: fc.constantFrom('lease' as const, 'value' as const, 'undefined' as const, 'error' as const),
    codec: fc.nat(255),
    compression: fc.constantFrom(undefined, 'gzip' as const, 'brotli' as const, 'zstd' as const),
    isEncrypted: fc.boolean(),
    leaseToken: fc.oneof(fc.constant(''), token),
    leaseUntil: time,
    born: time,
    freshUntil: time,
    staleUntil: time,
    cost: fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }),
    tagged: fc.array(fc.tuple(tag, time), { maxLength: 20 }),
    generation: time,
  })
  .map(({ tagged, generation, ...rest }): RecordFields => ({
    ...rest,
    tags: tagged.map(([text]) => text),
    stamps: [...tagged.map(([, stamp]) => stamp), generation],
  }));

describe('records', () => {
  it('are read as they were written, whatever is in them', () => {
    fc.assert(
      fc.property(anyFields, fc.uint8Array(), (written, bytes) => {
        const record = writeRecord(written, Buffer.from(bytes));
        const { payloadStart, payloadEnd, ...read } = readRecord(record) ?? {
          payloadStart: 0,
          payloadEnd: 0,
        };
        expect(read).toEqual(written);
        expect(record.subarray(payloadStart, payloadEnd)).toStrictEqual(Buffer.from(bytes));
      }),
    );
  });

  it('have this layout', () => {
    const golden = GOLDEN.join('').replaceAll(' ', '');
    expect(writeRecord(fields, payload).toString('hex')).toBe(golden);
    expect(readRecord(Buffer.from(golden, 'hex'))).toEqual({ ...fields, payloadStart: 101, payloadEnd: 108 });
  });

  it('are read where they stand in a larger buffer', () => {
    const record = writeRecord(fields, payload);
    const reply = Buffer.concat([Buffer.from('$108\r\n'), record, Buffer.from('\r\n')]);
    expect(readRecord(reply.subarray(6, 6 + record.length))).toMatchObject(fields);
  });

  it('may hold no value, but a lease', () => {
    const lease = Buffer.alloc(68);
    lease.write('RC\u0001', 'latin1');
    lease.write('ÿ234567\u0001', 8, 'latin1');
    lease.writeDoubleLE(1_700_000_003_000, 16);
    const leaseToken = 'ÿ234567\u0001';
    expect(readRecord(lease)).toMatchObject({ kind: 'lease', leaseToken, leaseUntil: 1_700_000_003_000 });
  });

  it('are not made of tags that do not fit', () => {
    const stamps = [1, 2];
    const long = { ...fields, tags: ['ü'.repeat(32_768)], stamps };
    expect(() => writeRecord(long, payload)).toThrow('A tag of 65536 bytes is longer than 65535');
    const longest = { ...fields, tags: ['x'.repeat(65_535)], stamps };
    expect(readRecord(writeRecord(longest, payload))?.tags).toStrictEqual(longest.tags);
    const many = { ...fields, tags: Array.from({ length: 65_536 }, () => 'x') };
    expect(() => writeRecord(many, payload)).toThrow('65536 tags are more than 65535');
  });
});

describe('what is no record', () => {
  const record = writeRecord(fields, payload);
  const changed = (at: number, ...bytes: number[]): Buffer => {
    const copy = Buffer.from(record);
    copy.set(bytes, at);
    return copy;
  };
  const withDouble = (at: number, value: number): Buffer => {
    const copy = Buffer.from(record);
    copy.writeDoubleLE(value, at);
    return copy;
  };

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['JSON', Buffer.from(JSON.stringify({ a: 'x'.repeat(100) }))],
    ['zeros', Buffer.alloc(100)],
    ['another version', changed(2, 2)],
    ['an unknown kind', changed(3, 4)],
    ['an unknown compression', changed(5, 4)],
    ['fewer tags', changed(6, 1)],
    ['more tags', changed(6, 3)],
    ['no tags', changed(6, 0)],
    ['65,535 tags', changed(6, 0xff, 0xff)],
    ['a longer tag', changed(76, 7)],
    ['a shorter tag', changed(76, 5)],
    ['a shorter payload', changed(64, 6)],
    ['a payload of 4 GB', changed(64, 0xff, 0xff, 0xff, 0xff)],
    ['tags of 4 GB', changed(52, 0xff, 0xff, 0xff, 0xff)],
    ['something behind it', Buffer.concat([record, Buffer.from('x')])],
    ['a negative time', withDouble(24, -1)],
    ['an infinite time', withDouble(40, Infinity)],
    ['NaN for a time', withDouble(32, NaN)],
    ['NaN for the end of the lease', withDouble(16, NaN)],
    ['NaN for the generation', withDouble(56, NaN)],
    ["NaN for a tag's stamp", withDouble(68, NaN)],
    ['a negative cost', changed(51, 0xc1)],
  ])('is told: %s', (_, bytes) => {
    expect(readRecord(bytes)).toBeUndefined();
  });

  it('is told wherever a record was cut off', () => {
    for (let length = 0; length < record.length; length++)
      expect(readRecord(record.subarray(0, length))).toBeUndefined();
  });

  it('never makes it throw', () => {
    const head = fc.tuple(fc.uint8Array({ minLength: 65, maxLength: 200 })).map(([bytes]) => {
      return Buffer.concat([Buffer.from('RC\u0001'), bytes]);
    });
    const flipped = fc.tuple(fc.nat(record.length - 1), fc.nat(255)).map(([at, byte]) => changed(at, byte));
    fc.assert(
      fc.property(fc.oneof(head, flipped), (bytes) => {
        const read = readRecord(bytes);
        expect(read === undefined || read.payloadEnd === bytes.length).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('readBorn', () => {
  const headOf = (kind: RecordFields['kind']) =>
    writeRecord({ ...fields, kind }, Buffer.alloc(0)).subarray(0, HEAD_LENGTH);

  it('tells when an entry was made, and nothing of a lease, which may tell of a run that has failed', () => {
    for (const kind of ['value', 'undefined', 'error'] as const)
      expect(readBorn(headOf(kind))).toBe(fields.born);
    expect(readBorn(headOf('lease'))).toBeUndefined();
    expect(readBorn(Buffer.alloc(HEAD_LENGTH))).toBeUndefined();
  });
});
