import { HEADER_LENGTH } from './header.js';
import { NOWHERE, type Binding, type Place } from './place.js';

const LABEL = Buffer.from('rednest/enc/1');
/** Bytes in front of the parts, and of their four lengths. */
const FIXED = LABEL.length + HEADER_LENGTH + 4 * 4;

/**
 * What is authenticated beside the ciphertext: `label || header || LP(namespace) || LP(key) || LP(field) || LP(context)`, where LP puts the
 * length in bytes, big endian, before the bytes in UTF-8. Different places never give the same bytes; names that differ only in halves of
 * surrogate pairs are the same name to Redis too, and a context has none.
 */
export function associatedData(envelope: Buffer, place: Place, binding: Binding): Buffer {
  const { namespace, key, field, context } = bound(place, binding);
  const size = byteLength(namespace) + byteLength(key) + byteLength(field) + byteLength(context);
  const data = Buffer.allocUnsafe(FIXED + size);
  let at = LABEL.copy(data);
  at += envelope.copy(data, at, 0, HEADER_LENGTH);
  at = write(data, at, namespace);
  at = write(data, at, key);
  at = write(data, at, field);
  write(data, at, context);
  return data;
}

function bound(place: Place, binding: Binding): Place {
  if (binding === 'key') return place;
  if (binding === 'none') return NOWHERE;
  return { ...NOWHERE, namespace: place.namespace, context: place.context };
}

function byteLength(part: string | Uint8Array): number {
  if (typeof part !== 'string') return part.length;
  return part === '' ? 0 : Buffer.byteLength(part);
}

function write(data: Buffer, at: number, part: string | Uint8Array): number {
  const start = at + 4;
  let length: number;
  if (typeof part === 'string') length = part === '' ? 0 : data.write(part, start);
  else {
    data.set(part, start);
    length = part.length;
  }
  data.writeUInt32BE(length, at);
  return start + length;
}
