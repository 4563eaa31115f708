/** A way to encrypt, by hand in node:crypto. Both of rednest's suites are here: what one writes the other one reads. */
export interface Construction {
  readonly name: string;
  seal(plaintext: Buffer, associatedData: Buffer): Buffer;
  /** @throws Error where it was altered */
  open(sealed: Buffer, associatedData: Buffer): Buffer;
}

/** Bytes of the header of rednest: what tells suite, key and flags. */
export const HEADER_LENGTH = 7;
export const NONCE_LENGTH = 24;
