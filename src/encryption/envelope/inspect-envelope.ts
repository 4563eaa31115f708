import { showKeyId } from '../keys/key-id.js';
import type { SuiteName } from '../suites/suites.js';
import { overheadOf, readHeader, type Encoding } from './header.js';
import { NOWHERE, type Binding } from './place.js';

/** What an envelope says of itself without a key. None of it can be believed before it is decrypted. */
export interface EnvelopeInspection {
  readonly suite: SuiteName;
  /** Id of the key: eight hexadecimal digits. */
  readonly keyId: string;
  /** What was encrypted: bytes, text, or a value as JSON. */
  readonly encoding: Encoding;
  /** What it is bound to. */
  readonly binding: Binding;
  /** Whether it can be decrypted only with the context that it was encrypted with. */
  readonly hasContext: boolean;
  /** Bytes of the plaintext. */
  readonly size: number;
}

/** @throws EncryptionNotEncryptedError, EncryptionTamperedError (cut short), EncryptionUnsupportedError */
export function inspectEnvelope(envelope: Buffer): EnvelopeInspection {
  const { suite, keyId, encoding, binding, hasContext } = readHeader(envelope, NOWHERE);
  return {
    suite: suite.name,
    keyId: showKeyId(keyId),
    encoding,
    binding,
    hasContext,
    size: envelope.length - overheadOf(suite),
  };
}
