import type { EncryptionParts } from '../encryption-parts.js';
import { RecordCodec } from './record-codec.js';
import { RecordIndexes } from './record-indexes.js';
import { resolveTimeToLive, type RecordInput, type SaveRecordOptions } from './record-options.js';
import { RecordReader } from './record-reader.js';
import { RecordReindex } from './record-reindex.js';
import { deleteRecord, saveRecord } from './record-scripts.js';
import { RecordSearch, type FoundRecord } from './record-search.js';
import type { RecordType } from './record-type.js';
import { resolveReindexOptions, type ReindexOptions, type ReindexReport } from './reindex-options.js';

/**
 * The records of a class, each in a hash: the properties with `@Encrypted` encrypted, bound to the record and the property; the others as JSON.
 *
 * All methods reject with RedisError, and with EncryptionConfigurationError for wrong arguments; those that read with EncryptionTamperedError,
 * EncryptionUnknownKeyError or EncryptionNotEncryptedError where an encrypted property is not what was saved.
 */
export class RecordStore<T extends object> {
  readonly #type: RecordType<T>;
  readonly #parts: EncryptionParts;
  readonly #codec: RecordCodec<T>;
  readonly #reader: RecordReader<T>;
  readonly #indexes: RecordIndexes<T>;
  readonly #search: RecordSearch<T>;

  /** @internal `EncryptedRecords.for` makes it. */
  constructor(type: RecordType<T>, parts: EncryptionParts) {
    this.#type = type;
    this.#parts = parts;
    this.#codec = new RecordCodec(type, parts.recordValues);
    this.#reader = new RecordReader(type, parts, this.#codec);
    this.#indexes = new RecordIndexes(type, parts, this.#reader);
    this.#search = new RecordSearch(type, this.#reader, this.#indexes);
  }

  /**
   * Writes a record in place of the one there is, if class-validator finds nothing wrong with it. Of two saves at once, one is there
   * afterwards, with all its properties. When it rejects with a RedisError, the record may have been written.
   *
   * @param id a number is as its text: `7` and `'7'` are one record
   * @param record an instance, or an object with its properties
   * @throws EncryptionRecordInvalidError, EncryptionSerializationError
   */
  async save(id: string | number, record: RecordInput<T>, options?: SaveRecordOptions): Promise<void> {
    const name = this.#type.idOf(id);
    const ttl = resolveTimeToLive(this.#type.subject, options);
    const instance = await this.#codec.prepare(record);
    const fields = this.#codec.encode(instance, name);
    const marks = this.#indexes.marksOf(instance);
    const { redisKey } = this.#type.locate(name);
    let lifetime = ttl ?? (marks.length > 0 ? await this.#reader.lifetimeOf(name) : Infinity);
    for (;;) {
      await this.#indexes.add(marks, name, lifetime);
      const written = await saveRecord.run(this.#parts.connection.client, {
        redisKey,
        ttl,
        lifetime,
        markFields: this.#indexes.markFields,
        fields: [...fields, ...this.#indexes.fieldsOf(marks)],
      });
      if (written.isWritten) {
        await this.#indexes.forget(written.marks, name);
        return;
      }
      // Another save has given it more time meanwhile.
      lifetime = written.lifetime;
    }
  }

  /** A record as an instance of the class, or undefined where there is none. A property that was not saved is not there. */
  async load(id: string | number): Promise<T | undefined> {
    const read = await this.#reader.read(this.#type.idOf(id));
    if (read) this.#indexes.refresh(read);
    return read?.record;
  }

  /** @returns whether there was one */
  async delete(id: string | number): Promise<boolean> {
    const name = this.#type.idOf(id);
    const { redisKey } = this.#type.locate(name);
    const { markFields } = this.#indexes;
    const before = await deleteRecord.run(this.#parts.connection.client, { redisKey, markFields });
    if (before) await this.#indexes.forget(before, name);
    return before !== undefined;
  }

  /**
   * The records whose property has this value, after what `index` makes of both. What Redis says is not believed: each is decrypted and
   * compared. One that is saved or deleted meanwhile may be there or not; one that cannot be read is left out, and warned of (`load` says why).
   *
   * @remarks
   * Where a key was taken away before `rotate` was through, what is indexed under it is not found, and there is no error: what stands in an
   * index is not known without the key. `load` throws EncryptionUnknownKeyError for such a record.
   *
   * @param property one with `@Encrypted({ index })`
   */
  find<K extends keyof T & string>(property: K, value: NonNullable<T[K]>): Promise<FoundRecord<T>[]> {
    return this.#search.find(property, value);
  }

  /**
   * Walks through all records of the class, and puts each into its indexes where it is not there. Call it once after `index` was put on a
   * property or has changed and all replicas have it, and after a Redis Cluster has lost writes in a failover, or memory was short and keys
   * were evicted: a record and its index entry are on different servers, and one may be lost without the other. It does no harm to call it at
   * any time, and again where it has not completed. While slots of a Cluster are moved it may miss records.
   */
  async reindex(options: ReindexOptions = {}): Promise<ReindexReport> {
    const resolved = resolveReindexOptions(`${this.#type.subject}: reindex`, options);
    const its = { type: this.#type, parts: this.#parts, reader: this.#reader, indexes: this.#indexes };
    return new RecordReindex(its, resolved).run();
  }
}
