import { createHmac } from 'node:crypto';
import type { KeyRing } from '../keys/key-ring.js';
import type { RingKey } from '../keys/ring-key.js';

/** What stands for a value in an index, under one key: `<key id>.<HMAC>`. */
export type BlindIndexToken = string;

/**
 * Finds equal values without decrypting any: HMAC-SHA256 (RFC 2104) over the name of the index and the value, each after its length, under a
 * key of its own for each key of the ring. The same values have the same token, and that is what it tells whoever sees it.
 */
export class BlindIndex {
  readonly #ring: KeyRing;

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  /** The token under the primary key. */
  token(name: string, value: string | Uint8Array): BlindIndexToken {
    return tokenUnder(this.#ring.primary, name, value);
  }

  /** The tokens under all keys, the primary one first: a value that was indexed before a rotation is under one of them. */
  tokens(name: string, value: string | Uint8Array): BlindIndexToken[] {
    return Array.from(this.#ring, (key) => tokenUnder(key, name, value));
  }
}

/** What looks the same is the same: é may be one character, or two. */
export function isSameText(one: string, other: string): boolean {
  return one === other || unify(one) === unify(other);
}

function unify(text: string): string {
  return text.normalize('NFC');
}

function tokenUnder(key: RingKey, name: string, value: string | Uint8Array): BlindIndexToken {
  const hmac = createHmac('sha256', key.indexKey);
  for (const part of [name, value]) {
    const bytes = typeof part === 'string' ? Buffer.from(unify(part)) : part;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hmac.update(length).update(bytes);
  }
  return `${key.name}.${hmac.digest('base64url')}`;
}
