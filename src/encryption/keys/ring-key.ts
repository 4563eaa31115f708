import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { CommittingDerivation } from '../suites/committing-derivation.js';
import type { KeyDerivation } from '../suites/key-derivation.js';
import type { SuiteName } from '../suites/suites.js';
import { XaesDerivation } from '../suites/xaes-derivation.js';
import { showKeyId } from './key-id.js';

const INDEX_LABEL = 'rednest/enc/index/1';

/** A key of the ring, with what is derived from it. It shows nothing but its id. */
export class RingKey {
  readonly id: number;
  /** The id as it is shown: eight hexadecimal digits. */
  readonly name: string;
  readonly #derivations: Readonly<Record<SuiteName, KeyDerivation>>;
  readonly #indexKey: KeyObject;

  /** @param bytes 32 of them, which are overwritten: what the key needs is kept in OpenSSL's memory */
  constructor(id: number, bytes: Buffer) {
    this.id = id;
    this.name = showKeyId(id);
    const key = createSecretKey(bytes);
    bytes.fill(0);
    this.#derivations = {
      'xaes-256-gcm': new XaesDerivation(key),
      'committing-aes-256-gcm': new CommittingDerivation(key),
    };
    this.#indexKey = deriveIndexKey(key);
  }

  /** Makes the keys of single messages. */
  derivation(suite: SuiteName): KeyDerivation {
    return this.#derivations[suite];
  }

  /** The key of blind indexes, for HMAC. Whoever has it can test guesses, and decrypt nothing. */
  get indexKey(): KeyObject {
    return this.#indexKey;
  }

  [inspect.custom](): string {
    return `RingKey { name: '${this.name}' }`;
  }
}

/** HKDF-SHA256 (RFC 5869), so that an index and a ciphertext never have a key in common. */
function deriveIndexKey(key: KeyObject): KeyObject {
  const bytes = Buffer.from(hkdfSync('sha256', key, '', INDEX_LABEL, 32));
  const derived = createSecretKey(bytes);
  bytes.fill(0);
  return derived;
}
