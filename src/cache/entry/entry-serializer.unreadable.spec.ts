import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NotFoundException } from '@nestjs/common';
import * as fc from 'fast-check';
import { jsonCodec } from '../codecs/json-codec.js';
import { draft, KEY, REPETITIVE, serializer, warnings, written } from './entry-serializer.fixture.js';

beforeEach(() => {
  warnings.length = 0;
});
afterEach(() => {
  jest.useRealTimers();
});

describe('warnings', () => {
  it('say why, and never what was in the value', async () => {
    const target = serializer();
    const secret = await written(target, draft({ secret: 'hunter2' }, { tags: [], stamps: [1] }));
    await target.deserialize(KEY, Buffer.from('hunter2'));
    await serializer({ codec: jsonCodec }).deserialize(KEY, secret);
    secret[4] = 2;
    await serializer({ codec: jsonCodec }).deserialize(KEY, secret);
    expect(warnings).toStrictEqual([
      'The entry of "city:1" cannot be read, and counts as a miss: it is no record of this version, or a damaged one',
      'The entry of "city:1" cannot be read, and counts as a miss: codec 1 wrote it, and this cache has 2',
      'The entry of "city:1" cannot be read, and counts as a miss: codec 2 cannot decode it (SyntaxError)',
    ]);
  });

  it('show keys on one line, and cut', async () => {
    await serializer().deserialize(`a\nb${'x'.repeat(1_000)}`, Buffer.from('foreign'));
    expect(warnings[0]).toContain('"a\\nbxxx');
    expect(warnings[0]?.length).toBeLessThan(300);
  });

  it('come once in 10 seconds for each kind, with the number of those left out', async () => {
    jest.useFakeTimers();
    const target = serializer({ maxValueSize: 10 });
    for (let count = 0; count < 5; count++) await target.deserialize(KEY, Buffer.from('foreign'));
    await target.serialize(KEY, draft('x'.repeat(100)));
    expect(warnings).toHaveLength(2);
    jest.advanceTimersByTime(10_000);
    await target.deserialize(KEY, Buffer.from('foreign'));
    await target.deserialize(KEY, Buffer.from('foreign'));
    expect(warnings).toHaveLength(3);
    expect(warnings[2]).toContain('(and 4 more like it since the last such line)');
    jest.advanceTimersByTime(10_000);
    await target.serialize(KEY, draft('x'.repeat(100)));
    expect(warnings[3]).not.toContain('more like it');
  });
});

describe('damaged bytes', () => {
  it('never make it throw or reject', async () => {
    const target = serializer({ compression: { algorithm: 'gzip', threshold: 1_000 } });
    const value = {
      name: 'Bern',
      at: new Date(0),
      map: new Map([[1, new Set(['x'])]]),
      bytes: Buffer.from('y'),
    };
    const records = await Promise.all([
      written(target, draft(value)),
      written(target, draft(REPETITIVE)),
      written(target, draft(new NotFoundException('gone'), { kind: 'error' })),
    ]);
    const damaged = fc
      .tuple(fc.constantFrom(...records), fc.nat(), fc.nat(255), fc.nat())
      .map(([record, at, byte, cut]) => {
        const copy = Buffer.from(record.subarray(0, cut % 3 === 0 ? cut % record.length : record.length));
        if (copy.length > 0) copy[at % copy.length] = byte;
        return copy;
      });
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          damaged,
          fc.uint8Array().map((array) => Buffer.from(array)),
        ),
        async (bytes) => {
          const read = await target.deserialize(KEY, bytes);
          expect(read === undefined || 'entry' in read).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
    expect(target.deserialize(KEY, Buffer.from('foreign'))).toStrictEqual({
      entry: undefined,
      leaseToken: '',
      leaseUntil: 0,
    });
  });
});
