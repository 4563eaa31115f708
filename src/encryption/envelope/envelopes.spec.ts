import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { combinations, envelopesOf, PLACE, ringOf, suites } from './envelopes.fixture.js';
import { HEADER_LENGTH } from './header.js';
import { inspectEnvelope } from './inspect-envelope.js';
import { NonceSource } from './nonce-source.js';
import { decodePayload, encodePayload } from './payload.js';
import { NOWHERE } from './place.js';

describe('a known envelope', () => {
  const key = '0b30557a9fc4e90e33587da2c7ec11365b80a5caef14395e83a8cdf2173c6186';
  const nonce = 'a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7';
  const ring = ringOf({ id: 0x20260131, bytes: Buffer.from(key, 'hex') });
  const envelopes = envelopesOf(ring, { write: (envelope, at) => void envelope.write(nonce, at, 'hex') });

  // Made with another implementation of the format, in Python (package `cryptography`).
  it.each([
    {
      what: 'a text bound to its key, with a context',
      value: 'Grüße',
      place: PLACE,
      suite: 'xaes-256-gcm',
      binding: 'key',
      expected: ['c1 01 41 20260131', nonce, 'fe94ee7c7ece93', 'e700bb2826bb728a21c9a2eb197f71dd'],
    },
    {
      what: 'JSON bound to its context, which is empty, with a commitment',
      value: { a: 1 },
      place: { ...PLACE, context: '' },
      suite: 'committing-aes-256-gcm',
      binding: 'context',
      expected: [
        'c1 02 12 20260131',
        nonce,
        'f232f56c0001d1434cc7416f651cbefd139afb70dafb5133027daac0fc1cd566',
        '5b4b57ce7583ba',
        'ec0148a90b2d215f2a63b3a5d000e5f8',
      ],
    },
    {
      what: 'bytes bound to nothing',
      value: Buffer.from([0, 255]),
      place: PLACE,
      suite: 'xaes-256-gcm',
      binding: 'none',
      expected: ['c1 01 20 20260131', nonce, 'b919', 'fd0351a50319ebc0f968647d97920c57'],
    },
  ] as const)('is, to the byte, $what', ({ value, place, suite, binding, expected }) => {
    const envelope = envelopes.seal(encodePayload(value, NOWHERE), place, { suite, binding });
    expect(envelope.toString('hex')).toBe(expected.join('').replaceAll(' ', ''));
    const { bytes, encoding, ...opened } = envelopes.open(envelope, place, { suite, binding });
    expect(decodePayload(bytes, encoding, NOWHERE)).toEqual(value);
    expect(opened).toEqual({ suite, binding, keyId: 0x20260131 });
  });
});

describe.each(combinations)('envelopes of suite $suite, bound to $binding', ({ suite, binding }) => {
  const envelopes = envelopesOf(ringOf());
  const roundTrip = (value: unknown): unknown => {
    const envelope = envelopes.seal(encodePayload(value, NOWHERE), PLACE, { suite, binding });
    const { bytes, encoding } = envelopes.open(envelope, PLACE, { suite, binding });
    return decodePayload(bytes, encoding, NOWHERE);
  };
  /** UTF-16 as it comes, halves of surrogate pairs included. */
  const text = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0xd800, 0xdfff, 0xfeff, 0)),
  );

  it('give back bytes, texts and JSON as they were', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each));
    const value = fc.oneof(
      bytes,
      fc.string({ unit: 'binary' }),
      text.map((units) => String.fromCharCode(...units)),
      // As JSON has it: it knows no -0.
      fc.jsonValue().map((each) => JSON.parse(JSON.stringify(each)) as unknown),
    );
    fc.assert(fc.property(value, (given) => expect(roundTrip(given)).toEqual(given)));
  });

  it('tell without a key what they are', () => {
    const given = fc.tuple(
      fc.constantFrom('bytes', 'text', 'json'),
      fc.nat(100),
      fc.constantFrom('', 'tenant:1'),
    );
    const check = ([encoding, size, context]: ['bytes' | 'text' | 'json', number, string]): void => {
      const place = { ...PLACE, context };
      const envelope = envelopes.seal({ bytes: Buffer.alloc(size), encoding }, place, { suite, binding });
      expect(envelope).toHaveLength(size + (suite === 'xaes-256-gcm' ? 47 : 79));
      const hasContext = context !== '' && binding !== 'none';
      expect(inspectEnvelope(envelope)).toEqual({
        suite,
        keyId: '0a0b0c0d',
        encoding,
        binding,
        hasContext,
        size,
      });
    };
    fc.assert(fc.property(given, check), { numRuns: 30 });
  });
});

describe('nonces', () => {
  it('are never given twice, and are written where they are to be', () => {
    const sources = [new NonceSource(), new NonceSource()];
    const seen = new Set<string>();
    for (let count = 0; count < 2_000; count++) {
      const envelope = Buffer.alloc(40);
      sources[count % 2]!.write(envelope, HEADER_LENGTH);
      expect(Buffer.concat([envelope.subarray(0, 7), envelope.subarray(31)])).toEqual(Buffer.alloc(16));
      seen.add(envelope.toString('hex'));
    }
    expect(seen.size).toBe(2_000);
  });

  it.each(suites)('are others for the same value, in suite %s', (suite) => {
    const envelopes = envelopesOf(ringOf());
    const payload = encodePayload('the same', NOWHERE);
    const seal = (): Buffer => envelopes.seal(payload, NOWHERE, { suite, binding: 'none' });
    const [one, two] = [seal(), seal()];
    expect(one.subarray(7, 31)).not.toEqual(two.subarray(7, 31));
    expect(one.subarray(31)).not.toEqual(two.subarray(31));
  });
});
