import { validate, type ValidationError } from 'class-validator';
import { toInstance, toPlain } from '../../classes/instances.js';
import { problemsOf } from '../../classes/property-problems.js';
import { EncryptionSerializationError } from '../encryption-errors.js';
import { isEnvelope } from '../envelope/header.js';
import { subjectOf } from '../envelope/place.js';
import type { StoredValues } from '../store/stored-values.js';
import { encryptedPropertiesOf } from './encrypted.decorator.js';
import { EncryptionRecordInvalidError } from './encryption-record-invalid-error.js';
import { isMarkField, type RecordType } from './record-type.js';

/** A field of a record's hash. */
export type RecordField = readonly [name: string, value: Buffer | string];

/** Makes fields of a hash of records, and records of fields. */
export class RecordCodec<T extends object> {
  readonly #type: RecordType<T>;
  readonly #values: StoredValues;

  constructor(type: RecordType<T>, values: StoredValues) {
    this.#type = type;
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
    this.#checkClass(record);
    const instance = record instanceof classRef ? record : (toInstance(classRef, { ...record }) as T);
    this.#checkKept(record, instance);
    const problems = problemsOf(await this.#validate(instance), (property, constraint, message) =>
      this.#isEncrypted(property) ? `${property} does not pass ${constraint}` : message,
    );
    if (problems.length > 0) throw new EncryptionRecordInvalidError(classRef.name, problems);
    return instance;
  }

  /** @throws EncryptionConfigurationError, EncryptionSerializationError */
  encode(record: T, id: string): RecordField[] {
    const plain = toPlain(record) as Readonly<Record<string, unknown>>;
    this.#checkPlain(record, plain);
    const fields = Object.entries(plain).flatMap(([property, value]) => {
      const text = value === undefined ? undefined : this.#encodeProperty(value, property, id);
      return text === undefined ? [] : [[property, text] as const];
    });
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
    } catch (cause) {
      throw new EncryptionSerializationError(subjectOf(location), { cause });
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

  /** What another class has encrypted must not become readable. */
  #checkClass(record: object): void {
    for (const property of encryptedPropertiesOf(Object.getPrototypeOf(record) as object | null).keys()) {
      if (this.#type.encrypted.has(property)) continue;
      throw this.#type.problem(property, `is encrypted in ${record.constructor.name}, and not in this class`);
    }
  }

  /** What class-transformer renames would be saved readable, what it leaves out would be lost. */
  #checkKept(before: object, after: object): void {
    for (const property of this.#type.encrypted.keys()) {
      const [value, kept] = [before, after].map(
        (each) => (each as Readonly<Record<string, unknown>>)[property],
      );
      if (value === undefined || kept !== undefined) continue;
      const fault = 'is left out or renamed by @Exclude or @Expose, which hold for what is saved as well';
      throw this.#type.problem(property, `${fault}: for answers give them a group`);
    }
  }

  #checkPlain(record: T, plain: Readonly<Record<string, unknown>>): void {
    this.#checkKept(record, plain);
    for (const [property, value] of Object.entries(record)) {
      const within = this.#type.encrypted.has(property) ? undefined : encryptedWithin(value);
      if (within === undefined) continue;
      throw this.#type.problem(property, `holds '${within}', which is to be encrypted: encrypt all of it`);
    }
    const mark = Object.keys(plain).find((property) => isMarkField(property) || property === '__proto__');
    if (mark !== undefined) throw this.#type.problem(mark, 'cannot be the name of a property');
  }
}

/** A property of an object within, or within that, which is to be encrypted: that cannot be done by itself. */
function encryptedWithin(value: unknown, seen: Set<object> = new Set()): string | undefined {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value))
    return undefined;
  seen.add(value);
  const [own] = encryptedPropertiesOf(Object.getPrototypeOf(value) as object | null).keys();
  if (own !== undefined) return own;
  const items: Iterable<unknown> =
    value instanceof Map || value instanceof Set ? value.values() : Object.values(value);
  for (const item of items) {
    const found = encryptedWithin(item, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}
