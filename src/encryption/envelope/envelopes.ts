import { timingSafeEqual } from 'node:crypto';
import type { EncryptionEventPublisher } from '../encryption-events.js';
import {
  EncryptionTamperedError,
  type EncryptionError,
  EncryptionUnknownKeyError,
  EncryptionUnsupportedError,
} from '../encryption-errors.js';
import { showKeyId } from '../keys/key-id.js';
import type { KeyRing } from '../keys/key-ring.js';
import { decryptGcm, encryptGcm, TAG_LENGTH } from '../suites/aes-gcm.js';
import { SUITES } from '../suites/suites.js';
import { associatedData } from './associated-data.js';
import { HEADER_LENGTH, NONCE_END, overheadOf, readHeader, writeHeader, type ReadHeader } from './header.js';
import { NonceSource, type Nonces } from './nonce-source.js';
import type { Payload } from './payload.js';
import { subjectOf, type Place } from './place.js';
import { isAsStrongBinding, isAsStrongSuite, type Strength } from './strength.js';

/** What was encrypted, and how. */
export interface Opened extends Payload, Strength {
  readonly bytes: Buffer;
  /** The key that it was under; undefined for what was not encrypted. */
  readonly keyId: number | undefined;
}

/** Encrypts to envelopes and back, with the keys of a ring. */
export class Envelopes {
  readonly #ring: KeyRing;
  readonly #events: EncryptionEventPublisher;
  readonly #nonces: Nonces;

  constructor(ring: KeyRing, events: EncryptionEventPublisher, nonces: Nonces = new NonceSource()) {
    this.#ring = ring;
    this.#events = events;
    this.#nonces = nonces;
  }

  /** An envelope under the primary key, bound to a place. */
  seal({ bytes, encoding }: Payload, place: Place, { suite: name, binding }: Strength): Buffer {
    const suite = SUITES[name];
    const { primary } = this.#ring;
    const envelope = Buffer.allocUnsafe(overheadOf(suite) + bytes.length);
    const hasContext = binding !== 'none' && place.context.length > 0;
    writeHeader(envelope, { suite, keyId: primary.id, encoding, binding, hasContext });
    this.#nonces.write(envelope, HEADER_LENGTH);
    const message = primary.derivation(name).derive(envelope.subarray(HEADER_LENGTH, NONCE_END));
    message.commitment?.copy(envelope, NONCE_END);
    const { ciphertext, tag } = encryptGcm(message, bytes, associatedData(envelope, place, binding));
    ciphertext.copy(envelope, NONCE_END + suite.commitmentLength);
    tag.copy(envelope, envelope.length - TAG_LENGTH);
    this.#events.counts.encrypted++;
    return envelope;
  }

  /**
   * What was encrypted, if this is its envelope and its place.
   *
   * @param least what it has to be: else what may stand anywhere could be put where only one value may be
   * @throws EncryptionNotEncryptedError, EncryptionUnknownKeyError, EncryptionTamperedError, EncryptionUnsupportedError
   */
  open(envelope: Buffer, place: Place, least: Strength): Opened {
    try {
      const opened = this.#open(envelope, place, least);
      this.#events.counts.decrypted++;
      return opened;
    } catch (error) {
      this.#events.refused(place, error as EncryptionError);
      throw error;
    }
  }

  #open(envelope: Buffer, place: Place, least: Strength): Opened {
    const header = readHeader(envelope, place);
    const bytes = this.#decrypt(envelope, header, place);
    // What was authenticated was made by someone who has the key: it is not tampered with.
    if (!header.isKnown)
      throw new EncryptionUnsupportedError(subjectOf(place), 'it has flags of a later version');
    const opened = { bytes, encoding: header.encoding, suite: header.suite.name, binding: header.binding };
    const fault = weaknessOf(opened, least);
    if (fault !== undefined) throw new EncryptionTamperedError(subjectOf(place), fault);
    return { ...opened, keyId: header.keyId };
  }

  #decrypt(envelope: Buffer, { suite, keyId, binding }: ReadHeader, place: Place): Buffer {
    const key = this.#ring.get(keyId);
    if (!key) throw new EncryptionUnknownKeyError(subjectOf(place), showKeyId(keyId));
    const message = key.derivation(suite.name).derive(envelope.subarray(HEADER_LENGTH, NONCE_END));
    const start = NONCE_END + suite.commitmentLength;
    if (message.commitment && !timingSafeEqual(message.commitment, envelope.subarray(NONCE_END, start))) {
      message.key.fill(0);
      throw new EncryptionTamperedError(subjectOf(place));
    }
    const end = envelope.length - TAG_LENGTH;
    const plaintext = decryptGcm(message, envelope.subarray(start, end), {
      tag: envelope.subarray(end),
      associatedData: associatedData(envelope, place, binding),
    });
    if (!plaintext) throw new EncryptionTamperedError(subjectOf(place));
    return plaintext;
  }
}

function weaknessOf({ suite, binding }: Strength, least: Strength): string | undefined {
  if (!isAsStrongSuite(suite, least.suite))
    return `is encrypted with ${suite}, and has to be with ${least.suite}`;
  if (isAsStrongBinding(binding, least.binding)) return undefined;
  const to = binding === 'none' ? 'nothing' : `its ${binding}`;
  return `is bound to ${to}, and has to be to its ${least.binding}: it may come from another place`;
}
