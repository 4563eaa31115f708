import { createCipheriv, type Cipher, type KeyObject } from 'node:crypto';
import type { KeyDerivation, MessageKey } from './key-derivation.js';

/** Bytes of a block of AES. */
const BLOCK = 16;
/** How much of the nonce goes into the key; the rest is that of AES-256-GCM. */
const KEY_PART = 12;

/**
 * XAES-256-GCM (C2SP, https://c2sp.org/XAES-256-GCM): a key for each message, by two blocks of CMAC (NIST SP 800-108r1 with AES-256), from
 * half of a nonce that is long enough to be random.
 */
export class XaesDerivation implements KeyDerivation {
  /** ECB keeps nothing from one block to the next: one cipher object serves all messages. */
  readonly #aes: Cipher;
  /**
   * The two blocks of CMAC, already combined with its subkey, without the nonce: `00 01 58 00` and `00 02 58 00` before it. Memory of
   * its own: what is cut from Node's pool of small buffers can be seen in the `buffer` of any other.
   */
  readonly #blocks = Buffer.alloc(2 * BLOCK);
  readonly #input = Buffer.alloc(2 * BLOCK);

  /** @param key of 32 bytes */
  constructor(key: KeyObject) {
    this.#aes = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    const subkey = doubled(this.#aes.update(Buffer.alloc(BLOCK)));
    for (const [offset, counter] of [
      [0, 1],
      [BLOCK, 2],
    ] as const) {
      this.#blocks.set(subkey, offset);
      this.#blocks[offset + 1]! ^= counter;
      this.#blocks[offset + 2]! ^= 0x58; // X
    }
    subkey.fill(0);
  }

  derive(nonce: Buffer): MessageKey {
    const input = this.#input;
    const blocks = this.#blocks;
    input.set(blocks);
    for (let at = 0; at < KEY_PART; at++) {
      const byte = nonce[at]!;
      input[4 + at] = blocks[4 + at]! ^ byte;
      input[BLOCK + 4 + at] = blocks[BLOCK + 4 + at]! ^ byte;
    }
    return { key: this.#aes.update(input), iv: nonce.subarray(KEY_PART), commitment: undefined };
  }
}

/** Twice an element of GF(2^128) (NIST SP 800-38B, section 6.1), in constant time. */
function doubled(block: Buffer): Buffer {
  const result = Buffer.alloc(BLOCK);
  let carry = 0;
  for (let at = BLOCK - 1; at >= 0; at--) {
    const shifted = (block[at]! << 1) | carry;
    carry = shifted >>> 8;
    result[at] = shifted & 0xff;
  }
  result[BLOCK - 1]! ^= 0x87 * carry;
  block.fill(0);
  return result;
}
