import { types } from 'node:util';
import { EncryptionSerializationError } from '../encryption-errors.js';
import type { Encoding } from './header.js';

/** A value as it is encrypted. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
}

/**
 * @param subject what it is, for messages
 * @throws EncryptionSerializationError
 */
export function encodePayload(value: unknown, subject: string): Payload {
  // Half a surrogate pair is not kept by UTF-8; JSON writes it as an escape.
  if (typeof value === 'string' && value.isWellFormed())
    return { bytes: Buffer.from(value), encoding: 'text' };
  if (value instanceof Uint8Array || types.isUint8Array(value)) return { bytes: value, encoding: 'bytes' };
  return { bytes: Buffer.from(toJson(value, subject)), encoding: 'json' };
}

export function decodePayload(bytes: Buffer, encoding: Encoding): unknown {
  if (encoding === 'bytes') return bytes;
  const text = bytes.toString();
  return encoding === 'text' ? text : (JSON.parse(text) as unknown);
}

function toJson(value: unknown, subject: string): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new EncryptionSerializationError(subject, { cause });
  }
  if (json === undefined) throw new EncryptionSerializationError(subject);
  return json;
}
