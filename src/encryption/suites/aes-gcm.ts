import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { MessageKey } from './key-derivation.js';

/** Bytes of the authentication tag: all that GCM makes (NIST SP 800-38D, section 5.2.1.2). */
export const TAG_LENGTH = 16;

const OPTIONS = { authTagLength: TAG_LENGTH } as const;

/** Encrypts with AES-256-GCM, and overwrites the key. */
export function encryptGcm(
  { key, iv }: MessageKey,
  plaintext: Uint8Array,
  associatedData: Uint8Array,
): { readonly ciphertext: Buffer; readonly tag: Buffer } {
  const cipher = createCipheriv('aes-256-gcm', key, iv, OPTIONS);
  key.fill(0);
  cipher.setAAD(associatedData);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return { ciphertext, tag: cipher.getAuthTag() };
}

/** Decrypts with AES-256-GCM, and overwrites the key. Undefined where it is not what was encrypted with that key and associated data. */
export function decryptGcm(
  { key, iv }: MessageKey,
  ciphertext: Uint8Array,
  { tag, associatedData }: { readonly tag: Uint8Array; readonly associatedData: Uint8Array },
): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, iv, OPTIONS);
  key.fill(0);
  decipher.setAAD(associatedData);
  decipher.setAuthTag(tag);
  const plaintext = decipher.update(ciphertext);
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    return undefined;
  }
}
