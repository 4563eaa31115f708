import { isUtf8 } from 'node:buffer';
import type { ResolvedPlaintextMigration, ResolvedEncryptionOptions } from '../options/resolved-options.js';
import type { Envelopes, Opened } from '../envelope/envelopes.js';
import { isEnvelope, keyIdOf, strengthOf } from '../envelope/header.js';
import { decodePayload, encodePayload } from '../envelope/payload.js';
import { isAsStrong } from '../envelope/strength.js';
import type { Location } from './location.js';
import type { Reencryption } from './reencryption.js';

/** How values are written and read. */
export type ValueOptions = Pick<
  ResolvedEncryptionOptions,
  'ring' | 'written' | 'accepted' | 'reencryptOnRead' | 'migratePlaintext'
>;

/** Makes bytes in Redis of values, and values of bytes. */
export class StoredValues {
  readonly #envelopes: Envelopes;
  readonly #options: ValueOptions;
  readonly #reencryption: Reencryption;

  constructor(envelopes: Envelopes, options: ValueOptions, reencryption: Reencryption) {
    this.#envelopes = envelopes;
    this.#options = options;
    this.#reencryption = reencryption;
  }

  /** @throws EncryptionSerializationError */
  write(value: unknown, location: Location): Buffer {
    return this.#envelopes.seal(encodePayload(value, location), location, this.#options.written);
  }

  /**
   * The value that stands there. If it is to be encrypted anew, that is done in the background.
   *
   * @throws EncryptionError
   */
  read(raw: Buffer, location: Location): unknown {
    const opened = this.open(raw, location);
    const { reencryptOnRead } = this.#options;
    if (opened.keyId === undefined || (reencryptOnRead && !this.isCurrent(raw)))
      this.#reencryption.schedule({ location, raw, opened });
    return decodePayload(opened.bytes, opened.encoding, location);
  }

  /**
   * What stands there, as it is encrypted; what is not, if that is still accepted.
   *
   * @throws EncryptionError
   */
  open(raw: Buffer, location: Location): Opened {
    const { written, accepted, migratePlaintext } = this.#options;
    // What begins as an envelope does is never taken for plaintext.
    if (!migratePlaintext || isEnvelope(raw) || !isAccepted(raw, migratePlaintext))
      return this.#envelopes.open(raw, location, accepted);
    return { ...written, bytes: raw, encoding: migratePlaintext.as, keyId: undefined };
  }

  /** Whether it says that it is under the primary key, and as strong as what is written. @param head the header of an envelope at least */
  isCurrent(head: Buffer): boolean {
    const { ring, written } = this.#options;
    const strength = strengthOf(head);
    return strength !== undefined && keyIdOf(head) === ring.primary.id && isAsStrong(strength, written);
  }
}

function isAccepted(raw: Buffer, { until, as }: ResolvedPlaintextMigration): boolean {
  if (Date.now() >= until) return false;
  return as === 'bytes' || (isUtf8(raw) && (as === 'text' || isJson(raw)));
}

function isJson(raw: Buffer): boolean {
  try {
    JSON.parse(raw.toString());
    return true;
  } catch {
    return false;
  }
}
