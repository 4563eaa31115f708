import { EncryptionTamperedError, type EncryptionService } from '../../encryption/index.js';
import { writeRecord, type RecordFields } from './record.js';

/** In front of the payload, in the envelope: until when the entry was to be fresh, and stale. */
const TIMES_LENGTH = 16;
const NO_PAYLOAD = Buffer.alloc(0);
/** Nothing that an application encrypts by itself has such a context. */
const LABEL = Buffer.from('rednest/cache/1\0');

/**
 * Makes envelopes of the payloads of one cache's records. An envelope is bound to the key in Redis and to what the record says of itself: kind,
 * codec, compression, time of birth, cost, tags and stamps. Leases change while it stands, and are not bound. Its ages change when it is
 * expired, which only brings them forward: what it was stored with is in the envelope, and is the most that they may be.
 *
 * Who can write to Redis can still make an entry end sooner, remove it, or put back an older one of the same key, until its time is over.
 */
export class EntryEncryption {
  readonly #encryption: Pick<EncryptionService, 'encrypt' | 'decrypt'>;
  readonly #prefix: string;

  /** @param prefix what comes before the keys in Redis */
  constructor(encryption: Pick<EncryptionService, 'encrypt' | 'decrypt'>, prefix: string) {
    this.#encryption = encryption;
    this.#prefix = prefix;
  }

  /** The envelope of a payload, under the primary key. */
  seal(key: string, fields: RecordFields, payload: Buffer): Buffer {
    const plaintext = Buffer.allocUnsafe(TIMES_LENGTH + payload.length);
    plaintext.writeDoubleLE(fields.freshUntil);
    plaintext.writeDoubleLE(fields.staleUntil, 8);
    payload.copy(plaintext, TIMES_LENGTH);
    return this.#encryption.encrypt(plaintext, { context: this.#contextOf(key, fields) });
  }

  /** The payload of an envelope. @throws EncryptionError where it is not that of this record and key, or its key is not known */
  open(key: string, fields: RecordFields, envelope: Buffer): Buffer {
    const plaintext = this.#encryption.decrypt<Buffer>(envelope, { context: this.#contextOf(key, fields) });
    const isWithin =
      fields.freshUntil <= plaintext.readDoubleLE() && fields.staleUntil <= plaintext.readDoubleLE(8);
    if (!isWithin) throw new EncryptionTamperedError('The value', 'is to last longer than it was stored for');
    return plaintext.subarray(TIMES_LENGTH);
  }

  /** The record without what may change and without its payload, then the key. The record says itself where it ends. */
  #contextOf(key: string, fields: RecordFields): Buffer {
    const lasting = { ...fields, leaseToken: '', leaseUntil: 0, freshUntil: 0, staleUntil: 0 };
    return Buffer.concat([LABEL, writeRecord(lasting, NO_PAYLOAD), Buffer.from(this.#prefix + key)]);
  }
}
