import { Buffer } from 'node:buffer';
import { types } from 'node:util';

/** Bytes of a key. */
export const KEY_LENGTH = 32;

/** For messages. */
export const KEY_EXPECTED =
  "a key is 64 hexadecimal characters, or base64 of 32 bytes; 'openssl rand -hex 32' makes one";

/** The bytes of a key, or what is wrong with it, without a part of it. */
export type ParsedKey = { readonly bytes: Buffer } | { readonly fault: string };

/** Reads a key as it is given: its bytes, their 64 hexadecimal digits, or their base64 or base64url. */
export function parseKey(given: unknown): ParsedKey {
  if (types.isUint8Array(given)) return ofRightLength(Buffer.from(given));
  if (typeof given !== 'string') return { fault: `is neither text nor bytes: ${KEY_EXPECTED}` };
  const text = given.trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return { bytes: Buffer.from(text, 'hex') };
  if (text === '') return { fault: `is empty: ${KEY_EXPECTED}` };
  const bytes = decodeBase64(text);
  // What has only hexadecimal digits was meant so, and "of 48 bytes" would not help whoever lost one of 64.
  if (bytes?.length !== KEY_LENGTH && /^[0-9a-f]+$/i.test(text))
    return { fault: `has ${text.length} hexadecimal characters: ${KEY_EXPECTED}` };
  if (!bytes) return { fault: `is neither hexadecimal nor base64: ${KEY_EXPECTED}` };
  return ofRightLength(bytes);
}

function ofRightLength(bytes: Buffer): ParsedKey {
  if (bytes.length === KEY_LENGTH) return { bytes };
  return { fault: `has ${bytes.length} bytes: ${KEY_EXPECTED}` };
}

/** Node skips what is no base64; here each character counts. */
function decodeBase64(text: string): Buffer | undefined {
  const digits = text
    .replace(/={1,2}$/, '')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
  const bytes = Buffer.from(digits, 'base64url');
  return bytes.toString('base64url') === digits ? bytes : undefined;
}
