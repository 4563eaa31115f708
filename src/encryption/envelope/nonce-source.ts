import { randomFillSync } from 'node:crypto';
import { NONCE_LENGTH } from '../suites/key-derivation.js';

/** How many nonces are made at a time: to ask for one takes as long as for hundreds. */
const AT_ONCE = 256;

/** Gives nonces, none of them twice. */
export interface Nonces {
  /** Writes a nonce into an envelope. */
  write(envelope: Buffer, at: number): void;
}

/** Random nonces (NIST SP 800-38D, section 8.2.2), each of which is given once. */
export class NonceSource implements Nonces {
  readonly #bytes = Buffer.alloc(AT_ONCE * NONCE_LENGTH);
  #next = this.#bytes.length;

  write(envelope: Buffer, at: number): void {
    if (this.#next === this.#bytes.length) {
      randomFillSync(this.#bytes);
      this.#next = 0;
    }
    this.#next += this.#bytes.copy(envelope, at, this.#next, this.#next + NONCE_LENGTH);
  }
}
