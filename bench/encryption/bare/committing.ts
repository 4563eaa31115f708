import { createHmac, createSecretKey, randomBytes, timingSafeEqual, type KeyObject } from 'node:crypto';
import { HEADER_LENGTH, NONCE_LENGTH, type Construction } from './construction.js';
import { open, seal, type GcmKey } from './gcm.js';

const HALF = 32;
const NONCE_END = HEADER_LENGTH + NONCE_LENGTH;
const START = NONCE_END + HALF;
const BEFORE_NONCE = Buffer.from('\0\0\0\u0001rednest/enc/1\0\u0002');
const AFTER_NONCE = Buffer.from([0, 0, 2, 0]);
const IV = Buffer.alloc(12);

/** The committing suite as one writes it down: HMAC-SHA512 for key and commitment of each message, then AES-256-GCM. */
export function bareCommitting(bytes: Buffer, header: Buffer): Construction {
  const key = createSecretKey(bytes);
  return {
    name: 'bare committing suite',
    seal(plaintext, associatedData) {
      const nonce = randomBytes(NONCE_LENGTH);
      const { commitment, ...message } = messageKey(key, nonce);
      return seal(message, plaintext, associatedData, [header, nonce, commitment]);
    },
    open(sealed, associatedData) {
      const { commitment, ...message } = messageKey(key, sealed.subarray(HEADER_LENGTH, NONCE_END));
      if (!timingSafeEqual(commitment, sealed.subarray(NONCE_END, START))) throw new Error('Another key');
      return open(message, sealed, associatedData, START);
    },
  };
}

function messageKey(key: KeyObject, nonce: Buffer): GcmKey & { readonly commitment: Buffer } {
  const derived = createHmac('sha512', key)
    .update(Buffer.concat([BEFORE_NONCE, nonce, AFTER_NONCE]))
    .digest();
  return { key: derived.subarray(0, HALF), iv: IV, commitment: derived.subarray(HALF) };
}
