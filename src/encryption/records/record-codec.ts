import { validate, type ValidationError } from 'class-validator';
import { toInstance, toPlain } from '../../classes/instances.js';
import { problemsOf } from '../../classes/property-problems.js';
import { EncryptionSerializationError } from '../encryption-errors.js';
import { isEnvelope } from '../envelope/header.js';
import { subjectOf } from '../envelope/place.js';
import type { StoredValues } from '../store/stored-values.js';
import { EncryptionRecordInvalidError } from './encryption-record-invalid-error.js';
import { RecordChecks } from './record-checks.js';
import { isMarkField, type RecordType } from './record-type.js';
import { isDerived } from './round-trip.js';

/** A field of a record's hash. */
export type RecordField = readonly [name: string, value: Buffer | string];

/** Makes fields of a hash of records, and records of fields. */
export class RecordCodec<T extends object> {
  readonly #type: RecordType<T>;
  readonly #values: StoredValues;
  readonly #checks: RecordChecks<T>;

  constructor(type: RecordType<T>, values: StoredValues) {
    this.#type = type;
    this.#checks = new RecordChecks(type);
    this.#values = values;
  }

  /**
   * An instance of the class, which is valid.
   *
   * @throws EncryptionRecordInvalidError, EncryptionConfigurationError
   */
  async prepare(record: unknown): Promise<T> {
    const { classRef } = this.#type;
    if (typeof record !== 'object' || record === null)
      throw new EncryptionRecordInvalidError(classRef.name, [{ property: '', message: 'it is no object' }]);
    if (Array.isArray(record))
      throw new EncryptionRecordInvalidError(classRef.name, [{ property: '', message: 'it is an array' }]);
    this.#checks.input(record);
    const instance = record instanceof classRef ? record : (toInstance(classRef, { ...record }) as T);
    if (instance !== record) this.#checks.instance(record, instance);
    const problems = problemsOf(await this.#validate(instance), (property, constraint, message) =>
      this.#isEncrypted(property) ? `${property} does not pass ${constraint}` : message,
    );
    if (problems.length > 0) throw new EncryptionRecordInvalidError(classRef.name, problems);
    return instance;
  }

  /** @throws EncryptionConfigurationError, EncryptionSerializationError */
  encode(record: T, id: string): RecordField[] {
    const all = Object.entries(toPlain(record) as Readonly<Record<string, unknown>>);
    const { classRef } = this.#type;
    const plain = Object.fromEntries(
      all.filter(([name, value]) => !isDerived(record, name, { classRef, value })),
    );
    this.#checks.plain(record, plain);
    const fields = Object.entries(plain).flatMap(([property, value]) => {
      const text = value === undefined ? undefined : this.#encodeProperty(value, property, id);
      return text === undefined ? [] : [[property, text] as const];
    });
    this.#checks.roundTrip(record, plain, id);
    if (fields.length > 0) return fields;
    throw new EncryptionRecordInvalidError(this.#type.classRef.name, [
      { property: '', message: 'it has no property, and a hash without a field cannot be' },
    ]);
  }

  /** @throws EncryptionError */
  decode(raws: Readonly<Record<string, Buffer>>, id: string): T {
    const data: Record<string, unknown> = {};
    for (const [field, raw] of Object.entries(raws)) {
      if (isMarkField(field) || field === '__proto__') continue;
      data[field] = this.#decodeField(raw, field, id);
    }
    return toInstance(this.#type.classRef, data) as T;
  }

  #encodeProperty(value: unknown, property: string, id: string): Buffer | string | undefined {
    const location = this.#type.locate(id, property);
    if (this.#type.encrypted.has(property)) return this.#values.write(value, location);
    try {
      return JSON.stringify(value);
    } catch {
      throw new EncryptionSerializationError(subjectOf(location));
    }
  }

  #decodeField(raw: Buffer, field: string, id: string): unknown {
    // One that was encrypted once, and is not to be any more, is read as well: who made it had the key.
    if (this.#type.encrypted.has(field) || isEnvelope(raw))
      return this.#values.read(raw, this.#type.locate(id, field));
    try {
      return JSON.parse(raw.toString());
    } catch {
      const message = `${field} is not JSON, as the fields of a record that are not encrypted are`;
      throw new EncryptionRecordInvalidError(this.#type.classRef.name, [{ property: field, message }]);
    }
  }

  async #validate(record: T): Promise<ValidationError[]> {
    try {
      return await validate(record, { forbidUnknownValues: false });
    } catch {
      // What was thrown may show a value.
      throw new EncryptionRecordInvalidError(this.#type.classRef.name, [
        { property: '', message: 'it cannot be checked: a validator has thrown an error' },
      ]);
    }
  }

  #isEncrypted(path: string): boolean {
    return this.#type.encrypted.has(path.split('.', 1)[0]!);
  }
}
