import { types } from 'node:util';
import { EncryptionSerializationError, EncryptionUnsupportedError } from '../encryption-errors.js';
import type { Encoding } from './header.js';
import { subjectOf, type Place } from './place.js';

/** A value as it is encrypted. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
}

/**
 * @param place where it stands, for messages
 * @throws EncryptionSerializationError
 */
export function encodePayload(value: unknown, place: Place): Payload {
  // Half a surrogate pair is not kept by UTF-8; JSON writes it as an escape.
  if (typeof value === 'string' && value.isWellFormed())
    return { bytes: Buffer.from(value), encoding: 'text' };
  if (types.isUint8Array(value)) return { bytes: value, encoding: 'bytes' };
  if (isLostInJson(value)) throw new EncryptionSerializationError(subjectOf(place));
  return { bytes: Buffer.from(toJson(value, place)), encoding: 'json' };
}

/**
 * @param place where it stands, for messages
 * @throws EncryptionUnsupportedError for JSON that is none: whoever has the key did not make it with this library
 */
export function decodePayload(bytes: Buffer, encoding: Encoding, place: Place): unknown {
  if (encoding === 'bytes') return bytes;
  const text = bytes.toString();
  if (encoding === 'text') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Without its cause, which would show the value.
    throw new EncryptionUnsupportedError(subjectOf(place), 'it is not the JSON that it says it is');
  }
}

/** Bytes of another kind, a Map and a Set are `{}` to JSON, and a number that is none is `null`. What they are part of is up to the application. */
function isLostInJson(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return (
    ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || types.isMap(value) || types.isSet(value)
  );
}

function toJson(value: unknown, place: Place): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch {
    throw new EncryptionSerializationError(subjectOf(place));
  }
  if (json === undefined) throw new EncryptionSerializationError(subjectOf(place));
  return json;
}
