import { createCipheriv, createSecretKey, randomFillSync } from 'node:crypto';
import { HEADER_LENGTH, NONCE_LENGTH, type Construction } from './construction.js';
import { open, seal, type GcmKey } from './gcm.js';
import { subkeyOf } from './xaes.js';

const BLOCK = 16;
const START = HEADER_LENGTH + NONCE_LENGTH;
const NONCES = 256;

/** XAES-256-GCM with what need not be made anew for each message kept, as rednest does: the object of the first AES, and random bytes. */
export function keptXaes(bytes: Buffer, header: Buffer): Construction {
  const key = createSecretKey(bytes);
  const aes = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  const subkey = subkeyOf(key);
  const input = Buffer.concat([subkey, subkey]);
  for (let half = 0; half < 2; half++) {
    input[half * BLOCK + 1]! ^= half + 1;
    input[half * BLOCK + 2]! ^= 0x58; // X
  }
  const messageKey = (nonce: Buffer): GcmKey => {
    for (let at = 0; at < 12; at++) {
      const byte = nonce[at]! ^ subkey[4 + at]!;
      input[4 + at] = byte;
      input[BLOCK + 4 + at] = byte;
    }
    return { key: aes.update(input), iv: nonce.subarray(12) };
  };
  const nextNonce = nonceSource();
  return {
    name: 'bare XAES-256-GCM, much of it kept',
    seal(plaintext, associatedData) {
      const nonce = nextNonce();
      return seal(messageKey(nonce), plaintext, associatedData, [header, nonce]);
    },
    open(sealed, associatedData) {
      return open(messageKey(sealed.subarray(HEADER_LENGTH, START)), sealed, associatedData, START);
    },
  };
}

function nonceSource(): () => Buffer {
  const bytes = Buffer.alloc(NONCES * NONCE_LENGTH);
  let next = bytes.length;
  return () => {
    if (next === bytes.length) {
      randomFillSync(bytes);
      next = 0;
    }
    next += NONCE_LENGTH;
    return bytes.subarray(next - NONCE_LENGTH, next);
  };
}
