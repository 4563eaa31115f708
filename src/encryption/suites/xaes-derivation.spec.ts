import { createCipheriv, createHash, createSecretKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { decryptGcm, encryptGcm } from './aes-gcm.js';
import { XaesDerivation } from './xaes-derivation.js';

/** XAES-256-GCM: the ciphertext and the tag after it. */
function encrypt(
  derivation: XaesDerivation,
  nonce: Buffer,
  plaintext: Buffer,
  associatedData: Buffer,
): Buffer {
  const { ciphertext, tag } = encryptGcm(derivation.derive(nonce), plaintext, associatedData);
  return Buffer.concat([ciphertext, tag]);
}

const underKey = (bytes: Buffer): XaesDerivation => new XaesDerivation(createSecretKey(bytes));

const NONCE = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWX');
const PLAINTEXT = Buffer.from('XAES-256-GCM');

/** Published with the specification, https://c2sp.org/XAES-256-GCM; the first bit of L is 0 for one key and 1 for the other. */
describe('XAES-256-GCM beside its published known answers', () => {
  const answers = [
    [1, '', 'ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271'],
    [3, 'c2sp.org/XAES-256-GCM', '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d'],
  ] as const;

  it.each(answers)('encrypts and decrypts with a key of bytes %d', (byte, text, expected) => {
    const derivation = underKey(Buffer.alloc(32, byte));
    const associatedData = Buffer.from(text);
    const encrypted = encrypt(derivation, NONCE, PLAINTEXT, associatedData);
    expect(encrypted.toString('hex')).toBe(expected);
    const [ciphertext, tag] = [encrypted.subarray(0, -16), encrypted.subarray(-16)];
    expect(decryptGcm(derivation.derive(NONCE), ciphertext, { tag, associatedData })).toEqual(PLAINTEXT);
  });

  it('encrypts 10,000 random messages as the accumulated answer says', () => {
    const rounds = 10_000;
    // Of an extendable output the first bytes are the same, whatever its length: 568 are the most that an iteration reads.
    const stream = createHash('shake128', { outputLength: rounds * 568 }).digest();
    let at = 0;
    const read = (length: number): Buffer => stream.subarray(at, (at += length));
    const accumulated = createHash('shake128', { outputLength: 32 });
    for (let round = 0; round < rounds; round++) {
      const [key, nonce] = [read(32), read(24)];
      const plaintext = read(read(1)[0]!);
      const associatedData = read(read(1)[0]!);
      accumulated.update(encrypt(underKey(key), nonce, plaintext, associatedData));
    }
    expect(accumulated.digest('hex')).toBe(
      'e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939',
    );
  });

  it('keeps nothing of one message for the next', () => {
    const [derivation, other] = [1, 1].map((byte) => underKey(Buffer.alloc(32, byte)));
    const expected = other!.derive(NONCE).key;
    for (const byte of [0, 255, 7]) derivation!.derive(Buffer.alloc(24, byte));
    expect(derivation!.derive(NONCE).key).toEqual(expected);
  });

  it('keeps what is derived from the key out of the memory that buffers share', () => {
    const key = Buffer.alloc(32, 9);
    const aes = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    const block = BigInt(`0x${aes.update(Buffer.alloc(16)).toString('hex')}`) << 1n;
    // Without its last byte, which depends on the first bit.
    const subkey = BigInt.asUintN(128, block).toString(16).padStart(32, '0').slice(6, 30);
    const derivation = underKey(key);
    derivation.derive(NONCE);
    const shared = Buffer.from(Buffer.from('any other').buffer);
    expect(shared.length).toBeGreaterThan(1_000);
    expect(shared.toString('hex')).not.toContain(subkey);
  });
});
