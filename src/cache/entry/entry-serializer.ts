import { isRangeCodec, type RangeReader } from '../codecs/codec.js';
import { assertCompression, compress, decompress } from '../codecs/compression.js';
import { errorToText } from '../codecs/error-codec.js';
import { CacheSerializationError, CacheValueTooLargeError } from '../cache-errors.js';
import type { ResolvedCacheOptions } from '../options/resolved-cache-options.js';
import { EncryptionError } from '../../encryption/index.js';
import { LimitedWarnings } from '../../logging/limited-warnings.js';
import type { CacheEntry } from './entry.js';
import { deskOf, type Desk } from './desk.js';
import type { EntryEncryption } from './entry-encryption.js';
import { readRecord, writeRecord, type RecordFields, type StoredRecordHead } from './record.js';
import {
  payloadOf,
  UNREADABLE,
  withDecoded,
  withEntry,
  withoutEntry,
  type StoredRecord,
} from './stored-record.js';

/** An entry before it has bytes. */
export type EntryDraft = Omit<CacheEntry, 'size' | 'expandedSize'>;

type SerializerOptions = Pick<ResolvedCacheOptions, 'codec' | 'compression' | 'maxValueSize' | 'oversize'>;

const EMPTY = Buffer.alloc(0);
/** Compressed bytes are kept if they are at most this share of the original: what saves less is not worth its decompression. */
const WORTHWHILE = 0.9;
const LONGEST_SHOWN_KEY = 120;
/** Larger records are read where they are. */
const DESK_SIZE = 16_384;

/** Entries to the bytes of a record, and back. Its warnings name the key, never the value. */
export class EntrySerializer {
  readonly #options: SerializerOptions;
  readonly #warnings: LimitedWarnings;
  readonly #encryption: EntryEncryption | undefined;
  readonly #readRange: RangeReader | undefined;
  readonly #desk = deskOf(DESK_SIZE);

  /**
   * @param encryption undefined: payloads are stored as they are
   * @throws RedisConfigurationError for a compression that this Node does not have
   */
  constructor(options: SerializerOptions, warn: (message: string) => void, encryption?: EntryEncryption) {
    if (options.compression) assertCompression(options.compression.algorithm);
    this.#options = options;
    this.#readRange = isRangeCodec(options.codec) ? options.codec.rangeReader() : undefined;
    this.#encryption = encryption;
    this.#warnings = new LimitedWarnings(warn);
  }

  /**
   * The bytes of an entry, as a promise only where they are compressed. Undefined for a value larger than `maxValueSize` where
   * `oversize` is `'skip'`, which is warned of.
   *
   * @throws CacheValueTooLargeError with `oversize: 'throw'`
   * @throws CacheSerializationError with the codec's error as its cause; the promise rejects with it likewise
   */
  serialize(key: string, draft: EntryDraft): Buffer | undefined | Promise<Buffer | undefined> {
    const payload = this.#encode(key, draft);
    if (payload.length > this.#options.maxValueSize) return this.#refuse(key, payload.length);
    const { compression } = this.#options;
    if (compression && payload.length >= compression.threshold && payload.length > 0)
      return this.#serializeCompressed(key, draft, payload);
    return this.#write(key, draft, undefined, payload);
  }

  /**
   * What stands in the bytes, as a promise only where they are compressed. Never throws or rejects: what cannot be read counts as no
   * entry, and is warned of.
   */
  deserialize(key: string, bytes: Buffer): StoredRecord | Promise<StoredRecord> {
    const desk = bytes.length <= this.#desk.bytes.length ? this.#desk : undefined;
    desk?.bytes.set(bytes);
    const head = desk ? readRecord(desk.bytes, bytes.length, desk.view) : readRecord(bytes);
    if (!head) {
      this.#warnUnreadable('foreign', key, 'it is no record of this version, or a damaged one');
      return UNREADABLE;
    }
    if (head.kind === 'lease') return withoutEntry(head);
    const { codec } = this.#options;
    if (head.kind !== 'undefined' && head.codec !== codec.id) {
      this.#warnUnreadable('codec', key, `codec ${head.codec} wrote it, and this cache has ${codec.id}`);
      return withoutEntry(head);
    }
    if (head.isEncrypted || this.#encryption) return this.#deserializeEncrypted(key, head, bytes);
    if (head.kind === 'undefined') return withEntry(head, 'undefined', undefined);
    if (desk && !head.compression && this.#readRange)
      return this.#decodeOnDesk(key, head, this.#readRange, desk);
    return this.#deserializePayload(key, head, payloadOf(head, bytes));
  }

  #encode(key: string, { kind, value }: EntryDraft): Buffer {
    if (kind === 'undefined') return EMPTY;
    try {
      const payload: unknown = this.#options.codec.encode(kind === 'error' ? errorToText(value) : value, key);
      if (Buffer.isBuffer(payload)) return payload;
      throw new TypeError(`Codec ${this.#options.codec.id} gave no Buffer`);
    } catch (cause) {
      throw new CacheSerializationError(key, { cause });
    }
  }

  #refuse(key: string, size: number): undefined {
    const { maxValueSize, oversize } = this.#options;
    const error = new CacheValueTooLargeError(key, size, maxValueSize);
    if (oversize === 'throw') throw error;
    const message = `Not cached: the value of ${show(key)} has ${size} bytes, more than maxValueSize (${maxValueSize})`;
    this.#warnings.warn('oversize', message);
    return undefined;
  }

  async #serializeCompressed(key: string, draft: EntryDraft, payload: Buffer): Promise<Buffer> {
    const algorithm = this.#options.compression?.algorithm ?? 'gzip';
    const compressed = await compress(algorithm, payload).catch((cause: unknown) => {
      throw new CacheSerializationError(key, { cause });
    });
    const isWorthwhile = compressed.length <= payload.length * WORTHWHILE;
    if (!isWorthwhile) return this.#write(key, draft, undefined, payload);
    return this.#write(key, draft, algorithm, compressed);
  }

  #write(key: string, draft: EntryDraft, compression: RecordFields['compression'], payload: Buffer): Buffer {
    const { kind, born, freshUntil, staleUntil, cost, tags, stamps } = draft;
    const codec = this.#options.codec.id;
    const isEncrypted = this.#encryption !== undefined;
    const times = { leaseUntil: 0, born, freshUntil, staleUntil, cost };
    const fields = { kind, codec, compression, isEncrypted, leaseToken: '', ...times, tags, stamps };
    try {
      return writeRecord(fields, this.#encryption ? this.#encryption.seal(key, fields, payload) : payload);
    } catch (cause) {
      throw new CacheSerializationError(key, { cause });
    }
  }

  #deserializeEncrypted(
    key: string,
    head: StoredRecordHead,
    bytes: Buffer,
  ): StoredRecord | Promise<StoredRecord> {
    const payload = this.#decrypt(key, head, payloadOf(head, bytes));
    if (!payload) return withoutEntry(head);
    if (head.kind === 'undefined') return withEntry(head, 'undefined', undefined, payload.length);
    return this.#deserializePayload(key, head, payload);
  }

  /** Also what is in no envelope is refused where the cache encrypts: anybody may have written it. */
  #decrypt(key: string, head: StoredRecordHead, envelope: Buffer): Buffer | undefined {
    if (!this.#encryption || !head.isEncrypted) {
      const reason = head.isEncrypted ? 'it is encrypted, and this cache is not' : 'it is not encrypted';
      this.#warnUnreadable('encryption', key, reason);
      return undefined;
    }
    try {
      return this.#encryption.open(key, head, envelope);
    } catch (error) {
      const fault = error instanceof EncryptionError ? error.message : describe(error);
      this.#warnUnreadable('encryption', key, `it cannot be decrypted (${fault})`);
      return undefined;
    }
  }

  #deserializePayload(
    key: string,
    head: StoredRecordHead,
    payload: Buffer,
  ): StoredRecord | Promise<StoredRecord> {
    if (head.compression) return this.#deserializeCompressed(key, head, payload);
    return this.#decode(key, head, payload);
  }

  async #deserializeCompressed(
    key: string,
    head: StoredRecordHead,
    compressed: Buffer,
  ): Promise<StoredRecord> {
    const { maxValueSize } = this.#options;
    const algorithm = head.compression ?? 'gzip';
    const payload = await decompress(algorithm, compressed, maxValueSize).catch((error: unknown) => {
      this.#warnUnreadable('compression', key, `${algorithm} cannot decompress it (${describe(error)})`);
    });
    return payload ? this.#decode(key, head, payload) : withoutEntry(head);
  }

  #decode(key: string, head: StoredRecordHead, payload: Buffer): StoredRecord {
    try {
      return withDecoded(head, this.#options.codec.decode(payload, key), payload.length);
    } catch (error) {
      return this.#refuseDecoding(key, head, error);
    }
  }

  #decodeOnDesk(key: string, head: StoredRecordHead, read: RangeReader, { bytes, view }: Desk): StoredRecord {
    const { payloadStart, payloadEnd } = head;
    try {
      const decoded = read(bytes, payloadStart, payloadEnd, view);
      return withDecoded(head, decoded, payloadEnd - payloadStart);
    } catch (error) {
      return this.#refuseDecoding(key, head, error);
    }
  }

  #refuseDecoding(key: string, head: StoredRecordHead, error: unknown): StoredRecord {
    const { id } = this.#options.codec;
    this.#warnUnreadable('payload', key, `codec ${id} cannot decode it (${describe(error)})`);
    return withoutEntry(head);
  }

  #warnUnreadable(kind: string, key: string, reason: string): void {
    this.#warnings.warn(kind, `The entry of ${show(key)} cannot be read, and counts as a miss: ${reason}`);
  }
}

function show(key: string): string {
  return JSON.stringify(key.length > LONGEST_SHOWN_KEY ? `${key.slice(0, LONGEST_SHOWN_KEY)}…` : key);
}

/** What kind of error it is. Its message may quote the value. */
function describe(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : 'no Error';
}
