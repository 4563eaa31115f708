import { types } from 'node:util';
import { Injectable } from '@nestjs/common';
import { BlindIndex } from './blind-index/blind-index.js';
import type { EncryptionStats } from './encryption-events.js';
import type { EncryptionParts } from './encryption-parts.js';
import { inspectEnvelope, type EnvelopeInspection } from './envelope/inspect-envelope.js';
import { isEnvelope, keyIdOf } from './envelope/header.js';
import { decodePayload, encodePayload } from './envelope/payload.js';
import type { Place } from './envelope/place.js';
import { EncryptionConfigurationError } from './options/encryption-configuration-error.js';
import { resolveContext } from './options/resolve-context.js';
import type { ContextOptions } from './store/store-options.js';

/** A key of this process: what can be said of it. */
export interface KeyInfo {
  /** Eight hexadecimal digits. */
  readonly id: string;
  /** Whether it is written with, or only read with. */
  readonly role: 'primary' | 'decrypt';
}

/**
 * Encrypts what is kept elsewhere than in {@link EncryptedStore}: in a table, in a queue, in a file. With authentication: what was altered is
 * refused, and so is what was encrypted with another context.
 *
 * @example
 * const envelope = encryption.encrypt(document, { context: `document:${id}` });
 * const document = encryption.decrypt<Document>(envelope, { context: `document:${id}` });
 */
@Injectable()
export class EncryptionService {
  readonly #parts: EncryptionParts;
  readonly #index: BlindIndex;

  /** @internal `EncryptionModule` makes it. */
  constructor(parts: EncryptionParts) {
    this.#parts = parts;
    this.#index = new BlindIndex(parts.options.ring);
  }

  /** @internal */
  static partsOf(service: EncryptionService): EncryptionParts {
    return service.#parts;
  }

  /** The keys of this process, the primary one first. */
  get keys(): readonly KeyInfo[] {
    const { ring } = this.#parts.options;
    return Array.from(ring, (key) => ({ id: key.name, role: key === ring.primary ? 'primary' : 'decrypt' }));
  }

  /**
   * Encrypts a Buffer, a text or what JSON can write, under the primary key: 47 bytes more than that, or 79 with the committing suite.
   *
   * @throws EncryptionSerializationError, EncryptionConfigurationError for wrong options
   */
  encrypt(value: unknown, options?: ContextOptions): Buffer {
    const { envelopes, options: its } = this.#parts;
    const place = this.#place('encrypt', options);
    return envelopes.seal(encodePayload(value, place), place, { suite: its.written.suite, binding: 'key' });
  }

  /** As {@link encrypt}, in base64url: for where only text can be. */
  encryptToText(value: unknown, options?: ContextOptions): string {
    return this.encrypt(value, options).toString('base64url');
  }

  /**
   * What was encrypted: a Buffer, a text, or what JSON made of the value.
   *
   * @param envelope bytes, or their base64url
   * @throws EncryptionTamperedError, EncryptionUnknownKeyError, EncryptionNotEncryptedError, EncryptionUnsupportedError,
   * EncryptionConfigurationError for wrong options
   */
  // What comes out is the application's word: it says so, or it is unknown.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  decrypt<T = unknown>(envelope: Uint8Array | string, options?: ContextOptions): T {
    const place = this.#place('decrypt', options);
    const { envelopes, options: its } = this.#parts;
    const least = { suite: its.accepted.suite, binding: 'key' } as const;
    const { bytes, encoding } = envelopes.open(toBytes('decrypt', envelope), place, least);
    return decodePayload(bytes, encoding, place) as T;
  }

  /**
   * Whether these are the bytes of an envelope: nothing else begins so, no UTF-8 text and no MessagePack. Or whether this is the text of one: a
   * word of letters and digits that begins with `wQ` may look like that by chance.
   */
  isEncrypted(value: Uint8Array | string): boolean {
    return typeof value === 'string' ? keyIdOf(fromText(value)) !== undefined : isEnvelope(value);
  }

  /**
   * What an envelope says of itself, without a key. None of it can be believed before it is decrypted.
   *
   * @throws EncryptionNotEncryptedError, EncryptionTamperedError (cut short), EncryptionUnsupportedError
   */
  inspect(envelope: Uint8Array | string): EnvelopeInspection {
    return inspectEnvelope(toBytes('inspect', envelope));
  }

  /**
   * What stands for a value in an index of your own: the same for the same value and name, and of no use without the key. Whoever sees the
   * index sees which entries are equal. Normalise the value first (spaces, upper case); Unicode's forms are made one (NFC).
   *
   * @param name of the index: the same value has another token in another
   */
  blindIndex(name: string, value: string | Uint8Array): string {
    return this.#index.token(this.#indexName('blindIndex', name, value), value);
  }

  /** What may stand for a value in an index: under the primary key first, then under each other key, from before a rotation. Look up all. */
  blindIndexes(name: string, value: string | Uint8Array): string[] {
    return this.#index.tokens(this.#indexName('blindIndexes', name, value), value);
  }

  /** How often each thing has happened in this process, in the store as well. */
  stats(): EncryptionStats {
    return { ...this.#parts.events.counts };
  }

  /** The same value has another token in another namespace, too. */
  #indexName(method: string, name: string, value: string | Uint8Array): string {
    checkType(method, 'name', name);
    checkType(method, 'value', value);
    return `${this.#parts.options.namespace}:${name}`;
  }

  /** No key: the store writes none without a name, so that nothing of the service can stand in it, and nothing of the store is read here. */
  #place(method: string, options: ContextOptions | undefined): Place {
    const context = resolveContext(`EncryptionService.${method}`, options);
    return { namespace: this.#parts.options.namespace, key: '', field: '', context };
  }
}

function toBytes(method: string, envelope: Uint8Array | string): Buffer {
  if (typeof envelope === 'string') return fromText(envelope);
  if (Buffer.isBuffer(envelope)) return envelope;
  checkType(method, 'envelope', envelope);
  return Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength);
}

/** @throws EncryptionConfigurationError for what is neither text nor bytes, and does not show it */
function checkType(method: string, option: string, value: unknown): void {
  if (typeof value === 'string' || types.isUint8Array(value)) return;
  const message = `what is given (${typeof value}) is neither a text nor bytes`;
  throw new EncryptionConfigurationError(`EncryptionService.${method}`, [{ option, message }]);
}

/** Node skips what is no base64url, and reads what is almost that: of a text that was altered so, only the start is left, to be refused. */
function fromText(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : bytes.subarray(0, 1);
}
