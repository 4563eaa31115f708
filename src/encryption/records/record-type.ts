import { key } from '../../redis/index.js';
import { flattenOptions, Problems, Settings, showValue } from '../../redis/shared.js';
import { EncryptionConfigurationError } from '../options/encryption-configuration-error.js';
import { locationOf, type Location } from '../store/location.js';
import { encryptedPropertiesOf, type EncryptedProperties } from './encrypted.decorator.js';
import { kebabCase, resolveRecordsOptions, type RecordClass, type RecordsOptions } from './record-options.js';

/** Ends the fields of a record's hash that say where in an index it is. */
const MARK = '#index';

/** A class of records, and where they are in Redis. */
export class RecordType<T extends object> {
  readonly classRef: RecordClass<T>;
  readonly encrypted: EncryptedProperties;
  readonly name: string;
  readonly namespace: string;

  /** @throws EncryptionConfigurationError */
  constructor(classRef: RecordClass<T>, options: RecordsOptions, namespace: string) {
    const { name: className, prototype } = asClass(classRef) as { name: string; prototype?: object };
    this.classRef = classRef;
    this.encrypted = encryptedPropertiesOf(prototype);
    if (this.encrypted.size === 0)
      throw this.problem(className, 'has no property with @Encrypted: there is nothing to encrypt');
    this.#checkOptions(prototype!);
    const defaults = { name: kebabCase(className), namespace };
    const resolved = resolveRecordsOptions(this.subject, options, defaults);
    this.name = resolved.name;
    this.namespace = resolved.namespace;
  }

  /** For messages. */
  get subject(): string {
    return `EncryptedRecords of ${this.classRef.name}`;
  }

  /** Where a record is; with a field, where that is. @throws EncryptionConfigurationError */
  locate(id: string, field = ''): Location {
    return locationOf(this.namespace, key`${this.name}:${id}`, { field });
  }

  /** @throws EncryptionConfigurationError for what would not be told apart from another */
  idOf(id: unknown): string {
    const text = typeof id === 'number' && Number.isFinite(id) ? String(id) : id;
    // UTF-8 makes the same of every half of a surrogate pair.
    if (typeof text === 'string' && text !== '' && text.isWellFormed()) return text;
    throw this.problem('id', `${showValue(id)} is not a text with at least one character, or a number`);
  }

  /** Those of a decorator are checked here, where an error has a place to go to. */
  #checkOptions(prototype: object): void {
    const problems = new Problems();
    for (const [property, options] of this.encrypted) {
      // What an accessor keeps its value in would be saved readable.
      if (property in prototype)
        problems.add(property, 'is an accessor or a method: @Encrypted belongs to a property that is saved');
      const flat = flattenOptions({ [property]: options }, { [property]: { index: true } }, problems);
      const settings = new Settings(flat, problems);
      settings.converted(
        `${property}.index`,
        asIndex,
        'true, false or a function that makes a text of a value',
      );
    }
    problems.throwAs((found) => new EncryptionConfigurationError(this.subject, found));
  }

  problem(option: string, message: string): EncryptionConfigurationError {
    return new EncryptionConfigurationError(this.subject, [{ option, message }]);
  }
}

/** Name of the field that says where a record is in the index of a property. */
export function markField(property: string): string {
  return `${property}${MARK}`;
}

export function isMarkField(field: string): boolean {
  return field.endsWith(MARK);
}

function asIndex(index: unknown): true | undefined {
  return typeof index === 'boolean' || typeof index === 'function' ? true : undefined;
}

function asClass(classRef: unknown): object {
  if (typeof classRef === 'function') return classRef;
  throw new EncryptionConfigurationError('EncryptedRecords.for', [
    { option: 'class', message: `${showValue(classRef)} is not a class` },
  ]);
}
