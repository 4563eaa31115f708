import { createCipheriv, createDecipheriv, type CipherKey } from 'node:crypto';

export const TAG_LENGTH = 16;
const OPTIONS = { authTagLength: TAG_LENGTH } as const;

export interface GcmKey {
  readonly key: CipherKey;
  readonly iv: Buffer;
}

/** What was given in front of it (header and nonce, say), then ciphertext and tag. */
export function seal(
  { key, iv }: GcmKey,
  plaintext: Buffer,
  associatedData: Buffer,
  front: readonly Buffer[],
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv, OPTIONS);
  cipher.setAAD(associatedData);
  return Buffer.concat([...front, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/**
 * @param start where the ciphertext begins
 * @throws Error where it was altered
 */
export function open({ key, iv }: GcmKey, sealed: Buffer, associatedData: Buffer, start: number): Buffer {
  const end = sealed.length - TAG_LENGTH;
  const decipher = createDecipheriv('aes-256-gcm', key, iv, OPTIONS);
  decipher.setAAD(associatedData);
  decipher.setAuthTag(sealed.subarray(end));
  return Buffer.concat([decipher.update(sealed.subarray(start, end)), decipher.final()]);
}
