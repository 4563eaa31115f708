import { describe, expect, it } from '@jest/globals';
import { wycheproofTests } from './aes-gcm.fixture.js';
import { decryptGcm, encryptGcm } from './aes-gcm.js';
import type { MessageKey } from './key-derivation.js';

/** A copy: the key is overwritten. */
const messageKey = ({ key, iv }: { key: Buffer; iv: Buffer }): MessageKey => {
  return { key: Buffer.from(key), iv, commitment: undefined };
};

const valid = wycheproofTests.filter(({ isValid }) => isValid);
const invalid = wycheproofTests.filter(({ isValid }) => !isValid);

describe('AES-256-GCM beside the tests of Wycheproof', () => {
  it.each(valid)('encrypts and decrypts number $id', (test) => {
    const { plaintext, associatedData, ciphertext, tag } = test;
    expect(encryptGcm(messageKey(test), plaintext, associatedData)).toEqual({ ciphertext, tag });
    expect(decryptGcm(messageKey(test), ciphertext, { tag, associatedData })).toEqual(plaintext);
  });

  it.each(invalid)('refuses number $id', (test) => {
    const { ciphertext, tag, associatedData } = test;
    expect(decryptGcm(messageKey(test), ciphertext, { tag, associatedData })).toBeUndefined();
  });

  it('has both', () => {
    expect([valid.length, invalid.length]).toEqual([16, 12]);
  });

  it('overwrites the key of a message when it has used it, whatever comes of it', () => {
    const [good, bad] = [valid[0]!, invalid[0]!];
    const keys = [good, good, bad].map(messageKey);
    const { tag, ciphertext, associatedData } = good;
    encryptGcm(keys[0]!, good.plaintext, associatedData);
    decryptGcm(keys[1]!, ciphertext, { tag, associatedData });
    decryptGcm(keys[2]!, bad.ciphertext, bad);
    for (const { key } of keys) expect(key).toEqual(Buffer.alloc(32));
  });

  it('takes no tag that is cut short', () => {
    const { ciphertext, associatedData, tag, ...key } = valid[0]!;
    for (const length of [4, 8, 12, 15])
      expect(() =>
        decryptGcm(messageKey(key), ciphertext, { tag: tag.subarray(0, length), associatedData }),
      ).toThrow(/tag length/);
  });
});
