import { createHmac } from 'node:crypto';

const LABEL = 'rednest/enc/key-id/1';

/** An id as it is shown: eight hexadecimal digits. */
export function showKeyId(id: number): string {
  return id.toString(16).padStart(8, '0');
}

/** Reads an id that was given: one to eight hexadecimal digits. Undefined for anything else. */
export function parseKeyId(text: unknown): number | undefined {
  return typeof text === 'string' && /^[0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text, 16) : undefined;
}

/** The id of a key that was given none: the start of an HMAC under it, which tells nothing of the key. */
export function deriveKeyId(key: Uint8Array): number {
  return createHmac('sha256', key).update(LABEL).digest().readUInt32BE(0);
}
