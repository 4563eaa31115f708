import { toInstance } from '../../classes/instances.js';
import { EncryptionSerializationError } from '../encryption-errors.js';
import { subjectOf } from '../envelope/place.js';
import { encryptedPropertiesOf } from './encrypted.decorator.js';
import { isMarkField, type RecordType } from './record-type.js';
import { asRead, isKept } from './round-trip.js';

type Properties = Readonly<Record<string, unknown>>;

const FAULT = 'nothing was saved, since class-transformer (@Exclude, @Expose, @Transform) would have';
const ADVICE =
  "It holds for what is saved as well: answer with a class of its own, or mask with @Transform(…, { groups: ['answer'] })";

/** Refuses records that would be saved readable where they are to be encrypted, or not as they are. All of it throws EncryptionConfigurationError. */
export class RecordChecks<T extends object> {
  readonly #type: RecordType<T>;

  constructor(type: RecordType<T>) {
    this.#type = type;
  }

  /** What another class has encrypted must not become readable. */
  input(record: object): void {
    for (const property of encryptedPropertiesOf(Object.getPrototypeOf(record) as object | null).keys()) {
      if (this.#type.encrypted.has(property)) continue;
      throw this.#type.problem(property, `is encrypted in ${record.constructor.name}, and not in this class`);
    }
  }

  /** What was made of an object has all of it. */
  instance(record: object, instance: T): void {
    for (const [property, value] of Object.entries(record))
      if (!isAbsent(value) && (instance as Properties)[property] === undefined)
        throw this.#type.problem(property, `${FAULT} left it out or renamed it. ${ADVICE}`);
  }

  /** What is to be encrypted is where it is looked for. */
  plain(record: T, plain: Properties): void {
    // Under another name it would be saved readable.
    for (const property of this.#type.encrypted.keys())
      if (!isAbsent((record as Properties)[property]) && !Object.hasOwn(plain, property))
        throw this.#type.problem(property, `${FAULT} left it out or renamed it. ${ADVICE}`);
    for (const [property, value] of Object.entries(record)) {
      const within = this.#type.encrypted.has(property) ? undefined : encryptedWithin(value);
      if (within === undefined) continue;
      throw this.#type.problem(property, `holds '${within}', which is to be encrypted: encrypt all of it`);
    }
    const mark = Object.keys(plain).find((property) => isMarkField(property) || property === '__proto__');
    if (mark !== undefined) throw this.#type.problem(mark, 'cannot be the name of a property');
  }

  /** What will be loaded is what is saved. @throws EncryptionSerializationError for what JSON does not keep */
  roundTrip(record: T, plain: Properties, id: string): void {
    const data: Record<string, unknown> = {};
    for (const [property, value] of Object.entries(plain)) {
      const read = asRead(value, this.#type.encrypted.has(property));
      if (!isKept(value, read))
        throw new EncryptionSerializationError(subjectOf(this.#type.locate(id, property)));
      if (read !== undefined) data[property] = read;
    }
    const back = this.#load(data);
    for (const [property, value] of Object.entries(record))
      if (!isKept(value, back[property]))
        throw this.#type.problem(property, `${FAULT} left it out or changed it. ${ADVICE}`);
  }

  #load(data: object): Properties {
    try {
      return toInstance(this.#type.classRef, data) as Properties;
    } catch {
      // What was thrown may show a value.
      throw this.#type.problem(
        '',
        'the class, or a decorator of it, throws an error for what would be loaded',
      );
    }
  }
}

/** A method is not saved. */
function isAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'function';
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
