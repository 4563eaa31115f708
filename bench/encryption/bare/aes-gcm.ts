import { createSecretKey, randomBytes } from 'node:crypto';
import { HEADER_LENGTH, type Construction } from './construction.js';
import { open, seal } from './gcm.js';

const IV_LENGTH = 12;
const START = HEADER_LENGTH + IV_LENGTH;

/** AES-256-GCM with one key for all messages and a random nonce of 12 bytes: 2^32 messages at most (NIST SP 800-38D). */
export function bareGcm(bytes: Buffer, header: Buffer): Construction {
  const key = createSecretKey(bytes);
  return {
    name: 'bare AES-256-GCM',
    seal(plaintext, associatedData) {
      const iv = randomBytes(IV_LENGTH);
      return seal({ key, iv }, plaintext, associatedData, [header, iv]);
    },
    open(sealed, associatedData) {
      return open({ key, iv: sealed.subarray(HEADER_LENGTH, START) }, sealed, associatedData, START);
    },
  };
}
