import { createHmac, type KeyObject } from 'node:crypto';
import { NONCE_LENGTH, type KeyDerivation, type MessageKey } from './key-derivation.js';

/** Bytes of the key, and of the commitment after it. */
const HALF = 32;
const LABEL = Buffer.from('rednest/enc/1');
/** The number that stands for this suite in an envelope. */
const SUITE = 2;

/** Each message has a key of its own, so that the nonce of AES-256-GCM may be the same in all. */
const IV = Buffer.alloc(12);

/**
 * A key for each message and a commitment to the key of the ring, by HMAC-SHA512 in counter mode (NIST SP 800-108r1): whoever has two keys
 * cannot make one ciphertext that both decrypt (AES-GCM alone allows that: Dodis, Grubbs, Ristenpart, Woodage, "Fast Message Franking", 2018).
 */
export class CommittingDerivation implements KeyDerivation {
  readonly #key: KeyObject;
  /** `u32(1) || label || 00 || suite || nonce || u32(512)`, without the nonce. */
  readonly #input = inputWithoutNonce();

  /** @param key of 32 bytes */
  constructor(key: KeyObject) {
    this.#key = key;
  }

  derive(nonce: Buffer): MessageKey {
    this.#input.set(nonce, this.#input.length - NONCE_LENGTH - 4);
    const derived = createHmac('sha512', this.#key).update(this.#input).digest();
    return { key: derived.subarray(0, HALF), iv: IV, commitment: derived.subarray(HALF) };
  }
}

function inputWithoutNonce(): Buffer {
  const counter = Buffer.from([0, 0, 0, 1]);
  const bits = Buffer.from([0, 0, 2, 0]);
  return Buffer.concat([counter, LABEL, Buffer.from([0, SUITE]), Buffer.alloc(NONCE_LENGTH), bits]);
}
