import { createHash, createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { CommittingDerivation } from './committing-derivation.js';

/** HMAC-SHA512 written out from RFC 2104, with nothing but the hash. */
function hmacSha512(key: Buffer, message: Buffer): Buffer {
  const block = Buffer.alloc(128);
  key.copy(block);
  const padded = (pad: number): Buffer => block.map((byte) => byte ^ pad) as Buffer;
  const sha512 = (...parts: Buffer[]): Buffer => createHash('sha512').update(Buffer.concat(parts)).digest();
  return sha512(padded(0x5c), sha512(padded(0x36), message));
}

/** The input of the key derivation (NIST SP 800-108r1, counter mode), as the format's description has it, in hexadecimal. */
function inputFor(nonce: Buffer): Buffer {
  const [counter, label, separator, suite, bits] = [
    '00000001',
    '7265646e6573742f656e632f31',
    '00',
    '02',
    '00000200',
  ];
  return Buffer.from([counter, label, separator, suite, nonce.toString('hex'), bits].join(''), 'hex');
}

const underKey = (bytes: Buffer): CommittingDerivation => new CommittingDerivation(createSecretKey(bytes));
const bytes = (length: number): fc.Arbitrary<Buffer> => {
  return fc.uint8Array({ minLength: length, maxLength: length }).map((each) => Buffer.from(each));
};

describe('the key and commitment of the committing suite', () => {
  it('are an HMAC that another construction gives too (RFC 4231, test case 2, for that one)', () => {
    expect(hmacSha512(Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?')).toString('hex')).toBe(
      '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554' +
        '9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
    );
    const check = (key: Buffer, nonce: Buffer): void => {
      const expected = hmacSha512(key, inputFor(nonce));
      const message = underKey(key).derive(nonce);
      expect(message.key).toEqual(expected.subarray(0, 32));
      expect(message.commitment).toEqual(expected.subarray(32));
      expect(message.iv).toEqual(Buffer.alloc(12));
    };
    fc.assert(fc.property(bytes(32), bytes(24), check), { numRuns: 50 });
  });

  it('are others for another nonce and for another key, and of one message alone', () => {
    const [key, nonce] = [randomBytes(32), randomBytes(24)];
    const derivation = underKey(key);
    const first = derivation.derive(nonce);
    const others = [derivation.derive(randomBytes(24)), underKey(randomBytes(32)).derive(nonce)];
    for (const { key: other, commitment } of others) {
      expect(other).not.toEqual(first.key);
      expect(commitment).not.toEqual(first.commitment);
    }
    first.key.fill(0);
    expect(derivation.derive(nonce)).toMatchObject({ commitment: first.commitment });
    expect(derivation.derive(nonce).key).not.toEqual(first.key);
  });
});
