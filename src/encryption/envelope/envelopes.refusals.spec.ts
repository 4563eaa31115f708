import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  EncryptionError,
  EncryptionNotEncryptedError,
  EncryptionTamperedError,
  EncryptionUnknownKeyError,
  EncryptionUnsupportedError,
} from '../encryption-errors.js';
import {
  bindings,
  combinations,
  envelopesOf,
  PLACE,
  ringOf,
  sealedWithFlags,
  suites,
} from './envelopes.fixture.js';
import { inspectEnvelope } from './inspect-envelope.js';
import type { Binding, Place } from './place.js';
import { isAsStrongBinding } from './strength.js';

const SECRET = 'the secret of this test';
const payload = { bytes: Buffer.from(SECRET), encoding: 'text' } as const;

const KEY_ID = 0x0a0b0c0d;
const key = randomBytes(32);
const envelopes = envelopesOf(ringOf({ id: KEY_ID, bytes: key }));

/** What an envelope is refused with; undefined where it is not. */
function refusal(
  envelope: Buffer,
  binding: Binding,
  place = PLACE,
  by = envelopes,
): EncryptionError | undefined {
  try {
    by.open(envelope, place, { suite: 'xaes-256-gcm', binding });
    return undefined;
  } catch (error) {
    if (!(error instanceof EncryptionError)) throw error;
    return error;
  }
}

const classOf = (error: EncryptionError | undefined): unknown => error?.constructor;

describe.each(combinations)('an envelope of suite $suite, bound to $binding', ({ suite, binding }) => {
  const envelope = envelopes.seal(payload, PLACE, { suite, binding });

  it('is refused with any bit flipped', () => {
    const wrong: number[] = [];
    for (let bit = 0; bit < envelope.length * 8; bit++) {
      const altered = Buffer.from(envelope);
      const at = bit >> 3;
      altered[at]! ^= 1 << (bit & 7);
      const expected =
        at === 0
          ? EncryptionNotEncryptedError
          : at === 1
            ? EncryptionUnsupportedError
            : at >= 3 && at < 7
              ? EncryptionUnknownKeyError
              : EncryptionTamperedError;
      if (classOf(refusal(altered, binding)) !== expected) wrong.push(bit);
    }
    expect(wrong).toEqual([]);
    expect(refusal(envelope, binding)).toBeUndefined();
  });

  it('is refused as another suite, and under another key with the id that it then has', () => {
    for (const id of [0, 1, 2, 3, 255]) {
      if (envelope[1] === id) continue;
      const altered = Buffer.from(envelope);
      altered[1] = id;
      const expected = id === 1 || id === 2 ? EncryptionTamperedError : EncryptionUnsupportedError;
      expect(classOf(refusal(altered, binding))).toBe(expected);
    }
    const ring = ringOf({ id: KEY_ID, bytes: key }, { id: KEY_ID ^ 1, bytes: randomBytes(32) });
    const altered = Buffer.from(envelope);
    altered[6]! ^= 1;
    expect(classOf(refusal(altered, binding, PLACE, envelopesOf(ring)))).toBe(EncryptionTamperedError);
    const renamed = envelopesOf(ringOf({ id: KEY_ID ^ 1, bytes: key }));
    expect(classOf(refusal(altered, binding, PLACE, renamed))).toBe(EncryptionTamperedError);
    const replaced = envelopesOf(ringOf({ id: KEY_ID, bytes: randomBytes(32) }));
    expect(classOf(refusal(envelope, binding, PLACE, replaced))).toBe(EncryptionTamperedError);
  });

  it('is refused cut short, extended, and with a byte more or less anywhere', () => {
    const wrong: Buffer[] = [];
    /** @param from where it begins to be another: what is in front of the nonce may say that it is of another key or suite */
    const check = (altered: Buffer, from = 7): void => {
      const error = refusal(altered, binding);
      if (from < 7 ? !error : classOf(error) !== EncryptionTamperedError) wrong.push(altered);
    };
    expect(classOf(refusal(Buffer.alloc(0), binding))).toBe(EncryptionNotEncryptedError);
    for (let at = 1; at < envelope.length; at++) check(envelope.subarray(0, at));
    for (const more of [1, 16, 47, 300]) {
      check(Buffer.concat([envelope, Buffer.alloc(more)]));
      check(Buffer.concat([envelope, randomBytes(more)]));
    }
    check(Buffer.concat([envelope, envelope]));
    for (let at = 0; at < envelope.length; at++) {
      const [start, rest] = [envelope.subarray(0, at), envelope.subarray(at)];
      check(Buffer.concat([start, Buffer.from([envelope[at]! ^ 0x55]), rest]), at);
      check(Buffer.concat([start, rest.subarray(1)]), at);
    }
    expect(wrong).toEqual([]);
  });

  it('is refused with a part of another', () => {
    const other = envelopes.seal(payload, PLACE, { suite, binding });
    const end = envelope.length - 16;
    const bounds = suite === 'xaes-256-gcm' ? [7, 31, end] : [7, 31, 63, end];
    for (const [position, start] of bounds.entries()) {
      const next = bounds[position + 1] ?? envelope.length;
      const mixed = Buffer.concat([
        envelope.subarray(0, start),
        other.subarray(start, next),
        envelope.subarray(next),
      ]);
      expect(classOf(refusal(mixed, binding))).toBe(EncryptionTamperedError);
    }
  });

  it('is taken from no other place than its binding says, wherever a name ends and the next one begins', () => {
    const name = fc.constantFrom('', 'a', 'b', 'ab', 'ba', 'a\0', '\0\0\0\x01a', 'é', 'e\u0301');
    const place = fc.record({ namespace: name, key: name, field: name, context: name });
    const bound = ({ namespace, key: its, field, context }: Place): string =>
      JSON.stringify(
        { key: [namespace, its, field, context], context: [namespace, context], none: [] }[binding],
      );
    const check = (one: Place, two: Place): void => {
      const error = refusal(envelopes.seal(payload, one, { suite, binding }), binding, two);
      expect(classOf(error)).toBe(bound(one) === bound(two) ? undefined : EncryptionTamperedError);
    };
    fc.assert(fc.property(place, place, check), { numRuns: 300 });
    for (const part of ['namespace', 'key', 'field', 'context'] as const)
      check(PLACE, { ...PLACE, [part]: 'another' });
  });

  it('is refused where a commitment to the key is asked for and it has none', () => {
    const asked = { suite: 'committing-aes-256-gcm', binding } as const;
    const open = (): unknown => envelopes.open(envelope, PLACE, asked);
    if (suite === asked.suite) expect(open()).toMatchObject(asked);
    else expect(open).toThrow(EncryptionTamperedError);
  });

  it('is refused where more is asked of its binding, and not where less is', () => {
    for (const asked of bindings) {
      const error = refusal(envelope, asked);
      if (isAsStrongBinding(binding, asked)) expect(error).toBeUndefined();
      else expect(error).toBeInstanceOf(EncryptionTamperedError);
    }
  });
});

describe.each(suites)('an authentic envelope of suite %s', (suite) => {
  const ring = ringOf();
  const its = envelopesOf(ring);

  it('is of a later version where it has flags that this one does not know', () => {
    for (const flags of [0b100, 0b1000, 0b1000_0000, 0b11, 0b11_0000, 0xff]) {
      const envelope = sealedWithFlags(ring, suite, flags);
      expect(classOf(refusal(envelope, 'key', PLACE, its))).toBe(EncryptionUnsupportedError);
      envelope[envelope.length - 1]! ^= 1;
      expect(classOf(refusal(envelope, 'key', PLACE, its))).toBe(EncryptionTamperedError);
    }
    expect(refusal(sealedWithFlags(ring, suite, 0), 'key', PLACE, its)).toBeUndefined();
  });
});

describe('refusals', () => {
  it('show nothing of what is in it', () => {
    for (const { suite, binding } of combinations) {
      const envelope = envelopes.seal(payload, PLACE, { suite, binding });
      for (const at of [0, 1, 2, 3, 40, envelope.length - 1]) {
        const altered = Buffer.from(envelope);
        altered[at]! ^= 4;
        expect(inspect(refusal(altered, binding), { showHidden: true })).not.toContain(SECRET);
      }
    }
  });

  it('say what and where, with names cut short and on one line', () => {
    const envelope = envelopes.seal(payload, PLACE, { suite: 'xaes-256-gcm', binding: 'none' });
    expect(refusal(envelope, 'key')?.message).toBe(
      "The value of 'card:7', field 'number' is bound to nothing, and has to be to its key: it may come from another place",
    );
    const place = { ...PLACE, key: `a\n${'b'.repeat(500)}` };
    expect(refusal(Buffer.from('plain'), 'key', place)?.message).toMatch(
      /^The value of 'a\\nb{118}…', field 'number' is not encrypted$/,
    );
    expect(refusal(Buffer.from('plain'), 'key', { ...PLACE, key: '' })?.message).toBe(
      'The value is not encrypted',
    );
    envelope[3] = 0;
    const unknown = refusal(envelope, 'key') as EncryptionUnknownKeyError;
    expect(unknown.message).toMatch(/under key 000b0c0d, which is not among the keys of this process/);
    expect([unknown.keyId, unknown.name]).toEqual(['000b0c0d', 'EncryptionUnknownKeyError']);
  });

  it('come from what only looks at an envelope too', () => {
    const envelope = envelopes.seal(payload, PLACE, { suite: 'committing-aes-256-gcm', binding: 'key' });
    expect(() => inspectEnvelope(Buffer.from('{}'))).toThrow(EncryptionNotEncryptedError);
    for (const length of [1, 6, 7, 46, 78])
      expect(() => inspectEnvelope(envelope.subarray(0, length))).toThrow(EncryptionTamperedError);
    expect(() => inspectEnvelope(Buffer.from([0xc1, 9, 0, 0, 0, 0, 0, 0]))).toThrow(
      EncryptionUnsupportedError,
    );
  });

  it('come from random bytes, whatever they are', () => {
    const check = (bytes: Uint8Array): void => {
      expect(refusal(Buffer.from(bytes), 'none')).toBeDefined();
      const envelope = [0xc1, (bytes[0] ?? 0) & 3, 0, 10, 11, 12, 13, ...bytes];
      expect(refusal(Buffer.from(envelope), 'none')).toBeDefined();
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 120 }), check), { numRuns: 300 });
  });
});
