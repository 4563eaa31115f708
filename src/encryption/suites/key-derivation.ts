/** Bytes of the nonce in an envelope: random, so that 2^80 messages under a key have a chance of 2^-32 that two have the same. */
export const NONCE_LENGTH = 24;

/** What one message is encrypted with. */
export interface MessageKey {
  /** For AES-256-GCM. Overwritten by whoever asked for it, when it was used. */
  readonly key: Buffer;
  /** For AES-256-GCM: 12 bytes. */
  readonly iv: Uint8Array;
  /** What shows that the message was encrypted under this key and no other; undefined where the suite has no such thing. */
  readonly commitment: Buffer | undefined;
}

/** Makes the key of a message from a key of the ring and a nonce. */
export interface KeyDerivation {
  /** @param nonce of {@link NONCE_LENGTH} bytes; `iv` may be a view of it */
  derive(nonce: Buffer): MessageKey;
}
