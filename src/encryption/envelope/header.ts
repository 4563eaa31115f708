import {
  EncryptionNotEncryptedError,
  EncryptionTamperedError,
  EncryptionUnsupportedError,
} from '../encryption-errors.js';
import { TAG_LENGTH } from '../suites/aes-gcm.js';
import { NONCE_LENGTH } from '../suites/key-derivation.js';
import { suiteOf, type Suite } from '../suites/suites.js';
import { subjectOf, type Binding, type Place } from './place.js';
import type { Strength } from './strength.js';

/**
 * First byte of an envelope. It is in no UTF-8 text, and MessagePack does not use it: plaintext is told apart for certain.
 *
 * ```
 * 0  1  C1    1  1  suite    2  1  flags    3  4  id of the key, big endian    7  24  nonce    then the commitment, ciphertext and tag
 * ```
 */
const MAGIC = 0xc1;
const SUITE_AT = 1;
const FLAGS_AT = 2;
const KEY_AT = 3;

/** Bytes before the nonce: all of them are authenticated. */
export const HEADER_LENGTH = 7;

/** Where the nonce ends. No two envelopes have the same bytes before it. */
export const NONCE_END = HEADER_LENGTH + NONCE_LENGTH;

/** What the plaintext is made of. */
export type Encoding = 'bytes' | 'text' | 'json';

const ENCODING_BITS: readonly (Encoding | undefined)[] = ['bytes', 'text', 'json', undefined];
const BINDING_BITS: readonly (Binding | undefined)[] = ['key', 'context', 'none', undefined];

/** Bits of the flags: encoding (0 and 1), binding (4 and 5), whether there is a context (6). The others are 0, and for later versions. */
const RESERVED = 0b1000_1100;
const CONTEXT = 0b0100_0000;

/** What stands in front of the nonce. Nothing of it can be believed before the envelope is authenticated. */
export interface Header {
  readonly suite: Suite;
  readonly keyId: number;
  readonly encoding: Encoding;
  readonly binding: Binding;
  /** Whether there was a context: without it, the envelope cannot be decrypted. */
  readonly hasContext: boolean;
}

/** Whether these are the bytes of an envelope, a damaged one included. */
export function isEnvelope(bytes: Uint8Array): boolean {
  return bytes[0] === MAGIC;
}

/** The key that it says it is encrypted under; undefined where it is no envelope, or is cut short. */
export function keyIdOf(envelope: Buffer): number | undefined {
  return isEnvelope(envelope) && envelope.length >= HEADER_LENGTH ? envelope.readUInt32BE(KEY_AT) : undefined;
}

/** How many bytes more than its plaintext an envelope has. */
export function overheadOf({ commitmentLength }: Suite): number {
  return NONCE_END + commitmentLength + TAG_LENGTH;
}

/** How strong it says it is; undefined where it is no envelope of a suite that is known. */
export function strengthOf(envelope: Buffer): Strength | undefined {
  const suite =
    envelope.length >= HEADER_LENGTH && isEnvelope(envelope) ? suiteOf(envelope[SUITE_AT]!) : undefined;
  const binding = BINDING_BITS[(envelope[FLAGS_AT]! >> 4) & 0b11];
  return suite && binding && { suite: suite.name, binding };
}

export function writeHeader(envelope: Buffer, { suite, keyId, encoding, binding, hasContext }: Header): void {
  envelope[0] = MAGIC;
  envelope[SUITE_AT] = suite.id;
  envelope[FLAGS_AT] =
    ENCODING_BITS.indexOf(encoding) | (BINDING_BITS.indexOf(binding) << 4) | (hasContext ? CONTEXT : 0);
  envelope.writeUInt32BE(keyId, KEY_AT);
}

/** What is in front of an envelope, and whether this version knows all of its flags. */
export type ReadHeader = Header & { readonly isKnown: boolean };

/**
 * @param place where it stands, for messages
 * @throws EncryptionNotEncryptedError; EncryptionTamperedError where it is cut short; EncryptionUnsupportedError for a suite of a later version
 */
export function readHeader(envelope: Buffer, place: Place): ReadHeader {
  if (!isEnvelope(envelope)) throw new EncryptionNotEncryptedError(subjectOf(place));
  if (envelope.length < HEADER_LENGTH) throw new EncryptionTamperedError(subjectOf(place), 'is cut short');
  const id = envelope[SUITE_AT]!;
  const suite = suiteOf(id);
  if (!suite) throw new EncryptionUnsupportedError(subjectOf(place), `it does not know suite ${id}`);
  if (envelope.length < overheadOf(suite))
    throw new EncryptionTamperedError(subjectOf(place), 'is cut short');
  const flags = envelope[FLAGS_AT]!;
  const encoding = ENCODING_BITS[flags & 0b11];
  const binding = BINDING_BITS[(flags >> 4) & 0b11];
  return {
    suite,
    keyId: envelope.readUInt32BE(KEY_AT),
    encoding: encoding ?? 'bytes',
    binding: binding ?? 'key',
    hasContext: (flags & CONTEXT) !== 0,
    isKnown: (flags & RESERVED) === 0 && encoding !== undefined && binding !== undefined,
  };
}
