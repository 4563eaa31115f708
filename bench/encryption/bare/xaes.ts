import { createCipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { HEADER_LENGTH, NONCE_LENGTH, type Construction } from './construction.js';
import { open, seal, type GcmKey } from './gcm.js';

const BLOCK = 16;
const START = HEADER_LENGTH + NONCE_LENGTH;

/** XAES-256-GCM as one writes it down from its specification: an AES of two blocks for the key of each message, then AES-256-GCM. */
export function bareXaes(bytes: Buffer, header: Buffer): Construction {
  const key = createSecretKey(bytes);
  const subkey = subkeyOf(key);
  return {
    name: 'bare XAES-256-GCM',
    seal(plaintext, associatedData) {
      const nonce = randomBytes(NONCE_LENGTH);
      return seal(messageKey(key, subkey, nonce), plaintext, associatedData, [header, nonce]);
    },
    open(sealed, associatedData) {
      const nonce = sealed.subarray(HEADER_LENGTH, START);
      return open(messageKey(key, subkey, nonce), sealed, associatedData, START);
    },
  };
}

function messageKey(key: KeyObject, subkey: Buffer, nonce: Buffer): GcmKey {
  const blocks = Buffer.alloc(2 * BLOCK);
  for (let half = 0; half < 2; half++) {
    const at = half * BLOCK;
    blocks[at + 1] = half + 1;
    blocks[at + 2] = 0x58; // X
    nonce.copy(blocks, at + 4, 0, 12);
    for (let byte = 0; byte < BLOCK; byte++) blocks[at + byte]! ^= subkey[byte]!;
  }
  const aes = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  return { key: aes.update(blocks), iv: nonce.subarray(12) };
}

/** Subkey of CMAC: the encrypted block of zeros, doubled in GF(2^128). */
export function subkeyOf(key: KeyObject): Buffer {
  const block = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(Buffer.alloc(BLOCK));
  const subkey = Buffer.alloc(BLOCK);
  for (let at = 0; at < BLOCK; at++) subkey[at] = (block[at]! << 1) | ((block[at + 1] ?? 0) >> 7);
  if (block[0]! >> 7) subkey[BLOCK - 1]! ^= 0x87;
  return subkey;
}
