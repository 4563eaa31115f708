import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { NotFoundException } from '@nestjs/common';
import { CacheSerializationError, CacheValueTooLargeError } from '../cache-errors.js';
import type { Codec } from '../codecs/codec.js';
import { CachedError } from '../codecs/error-codec.js';
import { jsonCodec } from '../codecs/json-codec.js';
import { msgpackCodec } from '../codecs/msgpack-codec.js';
import { draft, KEY, REPETITIVE, serializer, warnings, written } from './entry-serializer.fixture.js';
import { readRecord, writeRecord } from './record.js';

beforeEach(() => {
  warnings.length = 0;
});

function compressedBy(bytes: Buffer): string | undefined {
  return readRecord(bytes)?.compression;
}

describe('EntrySerializer', () => {
  it.each<[string, unknown]>([
    ['an object', { name: 'Bern', founded: new Date(0), of: new Map([['a', 1n]]) }],
    ['null', null],
    ['0', 0],
    ['no text', ''],
    ['bytes', Buffer.from('bytes')],
  ])('gives back %s with its ages, tags and stamps', async (_, value) => {
    const bytes = await written(serializer(), draft(value));
    expect(serializer().deserialize(KEY, bytes)).toStrictEqual({
      entry: { ...draft(value), size: bytes.length, expandedSize: bytes.length },
      leaseToken: '',
      leaseUntil: 0,
    });
  });

  it('tells undefined from null, whatever the codec', async () => {
    const bytes = await written(serializer(), draft(undefined, { kind: 'undefined' }));
    const entry = { kind: 'undefined', value: undefined, size: bytes.length };
    expect(serializer({ codec: jsonCodec }).deserialize(KEY, bytes)).toMatchObject({ entry });
  });

  it.each<Codec>([msgpackCodec, jsonCodec])('gives errors back, through the codec', async (codec) => {
    const target = serializer({ codec });
    const revive = async (value: Error): Promise<unknown> => {
      const { entry } = await target.deserialize(KEY, await written(target, draft(value, { kind: 'error' })));
      expect(entry?.kind).toBe('error');
      return entry?.value;
    };
    expect(await revive(new RangeError('too far'))).toStrictEqual(new CachedError('RangeError', 'too far'));
    const exception = (await revive(new NotFoundException('no such city'))) as NotFoundException;
    expect(exception.getStatus()).toBe(404);
  });

  it('gives the codec the key, and errors too: so that one can encrypt all of it', async () => {
    const codec: Codec = {
      id: 100,
      encode: (value, key) =>
        Buffer.from(`${key}|${JSON.stringify(value)}`).map((byte) => byte ^ 255) as Buffer,
      decode: (bytes, key) =>
        JSON.parse(
          Buffer.from(bytes.map((byte) => byte ^ 255))
            .toString()
            .replace(`${key}|`, ''),
        ) as unknown,
    };
    const target = serializer({ codec });
    const bytes = await written(target, draft(new Error('for nobody'), { kind: 'error' }));
    expect(bytes.includes('nobody')).toBe(false);
    expect(target.deserialize(KEY, bytes)).toMatchObject({ entry: { value: { message: 'for nobody' } } });
    expect(target.deserialize('city:2', bytes)).toMatchObject({ entry: undefined });
  });

  it('reads the lease, with and without a value', () => {
    const { value: _, ...fields } = draft(undefined);
    const lease = { leaseToken: 'a1B2c3D4', leaseUntil: 5_000 };
    const payload = msgpackCodec.encode('old', KEY);
    const leased = writeRecord(
      { ...fields, codec: 1, compression: undefined, isEncrypted: false, ...lease },
      payload,
    );
    expect(serializer().deserialize(KEY, leased)).toMatchObject({ ...lease, entry: { value: 'old' } });
    const nothing = {
      kind: 'lease',
      codec: 0,
      compression: undefined,
      isEncrypted: false,
      tags: [],
      stamps: [0],
    } as const;
    const bare = writeRecord({ ...fields, ...nothing, ...lease }, Buffer.alloc(0));
    expect(serializer().deserialize(KEY, bare)).toStrictEqual({ ...lease, entry: undefined });
    expect(warnings).toStrictEqual([]);
  });

  it('keeps the lease and the birth of an entry whose value it cannot read', () => {
    const { value: _, ...fields } = draft(undefined);
    const lease = { leaseToken: 'a1B2c3D4', leaseUntil: 5_000 };
    const foreign = writeRecord(
      { ...fields, codec: 99, compression: undefined, isEncrypted: false, ...lease },
      Buffer.from('x'),
    );
    expect(serializer().deserialize(KEY, foreign)).toStrictEqual({
      ...lease,
      entry: undefined,
      unreadable: fields.born,
    });
  });

  it.each([
    ['a symbol', Symbol('secret-value'), msgpackCodec],
    ['a bigint in JSON', { secret: 5n }, jsonCodec],
    [
      'what a codec makes no Buffer of',
      'x',
      { id: 100, encode: () => 'text', decode: String } as unknown as Codec,
    ],
  ])('names the key of %s, and the cause', (_, value, codec) => {
    expect(() => serializer({ codec }).serialize(KEY, draft(value))).toThrow(
      expect.objectContaining({ constructor: CacheSerializationError, key: KEY, cause: expect.any(Error) }),
    );
  });

  it('refuses tags that do not fit', () => {
    const entry = draft('x', { tags: ['x'.repeat(70_000)], stamps: [1, 2] });
    expect(() => serializer().serialize(KEY, entry)).toThrow(CacheSerializationError);
  });
});

describe('values that are too large', () => {
  const large = draft('x'.repeat(2_000));

  it('are skipped with a warning that names the size and the limit', () => {
    expect(serializer({ maxValueSize: 1_000 }).serialize(KEY, large)).toBeUndefined();
    expect(warnings).toStrictEqual([
      'Not cached: the value of "city:1" has 2004 bytes, more than maxValueSize (1000)',
    ]);
  });

  it('are an error where that is asked for', () => {
    const target = serializer({ maxValueSize: 1_000, oversize: 'throw' });
    expect(() => target.serialize(KEY, large)).toThrow(CacheValueTooLargeError);
    expect(warnings).toStrictEqual([]);
  });

  it('are those before compression, by a single byte', async () => {
    const compression = { algorithm: 'gzip', threshold: 0 } as const;
    expect(serializer({ maxValueSize: 2_003, compression }).serialize(KEY, large)).toBeUndefined();
    expect(await written(serializer({ maxValueSize: 2_004, compression }), large)).toBeInstanceOf(Buffer);
  });
});

describe('compression', () => {
  const compressing = serializer({ compression: { algorithm: 'gzip', threshold: 4_096 } });

  it.each(['gzip', 'brotli'] as const)(
    'by %s is undone by whoever reads, however configured',
    async (algorithm) => {
      const target = serializer({ compression: { algorithm, threshold: 4_096 } });
      const bytes = await written(target, draft(REPETITIVE));
      const plain = await written(serializer(), draft(REPETITIVE));
      expect(compressedBy(bytes)).toBe(algorithm);
      expect(bytes.length).toBeLessThan(REPETITIVE.length / 10);
      const read = serializer().deserialize(KEY, bytes);
      expect(read).toBeInstanceOf(Promise);
      expect(await read).toMatchObject({
        entry: { value: REPETITIVE, size: bytes.length, expandedSize: plain.length },
      });
    },
  );

  it('leaves what is below the threshold alone, and synchronous', () => {
    const bytes = compressing.serialize(KEY, draft('x'.repeat(4_000))) as Buffer;
    expect(compressedBy(bytes)).toBeUndefined();
    expect(compressing.deserialize(KEY, bytes)).toMatchObject({ entry: { kind: 'value' } });
    expect(compressing.serialize(KEY, draft('x'.repeat(4_092)))).toBeInstanceOf(Promise);
  });

  it('is left out where it saves nothing', async () => {
    const bytes = await written(compressing, draft(randomBytes(10_000)));
    expect(compressedBy(bytes)).toBeUndefined();
  });

  it('stops at maxValueSize when it is undone, with a warning', async () => {
    const bomb = await written(
      serializer({ maxValueSize: 1e9, compression: { algorithm: 'gzip', threshold: 0 } }),
      draft(Buffer.alloc(20_000_000)),
    );
    expect(bomb.length).toBeLessThan(100_000);
    expect(await serializer().deserialize(KEY, bomb)).toMatchObject({ entry: undefined });
    expect(warnings).toStrictEqual([
      'The entry of "city:1" cannot be read, and counts as a miss: gzip cannot decompress it (ERR_BUFFER_TOO_LARGE)',
    ]);
  });

  it('that is damaged counts as a miss', async () => {
    const bytes = await written(compressing, draft(REPETITIVE));
    for (let at = bytes.length - 60; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 255;
      expect(await serializer().deserialize(KEY, damaged)).toMatchObject({ entry: undefined });
    }
    expect(warnings).not.toHaveLength(0);
  });
});
