import { isUtf8 } from 'node:buffer';
import type { ResolvedPlaintextMigration, ResolvedEncryptionOptions } from '../options/resolved-options.js';
import type { Envelopes, Opened } from '../envelope/envelopes.js';
import { isEnvelope } from '../envelope/header.js';
import { decodePayload, encodePayload } from '../envelope/payload.js';
import type { Location } from './location.js';
import type { Reencryption } from './reencryption.js';

/** Makes bytes in Redis of values, and values of bytes. */
export class StoredValues {
  readonly #envelopes: Envelopes;
  readonly #options: ResolvedEncryptionOptions;
  readonly #reencryption: Reencryption;

  constructor(envelopes: Envelopes, options: ResolvedEncryptionOptions, reencryption: Reencryption) {
    this.#envelopes = envelopes;
    this.#options = options;
    this.#reencryption = reencryption;
  }

  /** @throws EncryptionSerializationError */
  write(value: unknown, location: Location): Buffer {
    const { suite, bind } = this.#options;
    return this.#envelopes.seal(encodePayload(value, location), location, {
      suite,
      binding: bind,
    });
  }

  /**
   * The value that stands there. If it is to be encrypted anew, that is done in the background.
   *
   * @throws EncryptionError
   */
  read(raw: Buffer, location: Location): unknown {
    const opened = this.open(raw, location);
    const { ring, reencryptOnRead } = this.#options;
    if (opened.keyId === undefined || (reencryptOnRead && opened.keyId !== ring.primary.id))
      this.#reencryption.schedule({ location, raw, opened });
    return decodePayload(opened.bytes, opened.encoding, location);
  }

  /**
   * What stands there, as it is encrypted; what is not, if that is still accepted.
   *
   * @throws EncryptionError
   */
  open(raw: Buffer, location: Location): Opened {
    const { bind, migratePlaintext } = this.#options;
    // What begins as an envelope does is never taken for plaintext.
    if (!migratePlaintext || isEnvelope(raw) || !isAccepted(raw, migratePlaintext))
      return this.#envelopes.open(raw, location, bind);
    return { bytes: raw, encoding: migratePlaintext.as, binding: bind, keyId: undefined };
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
