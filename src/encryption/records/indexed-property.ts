import type { EncryptedOptions } from './encrypted.decorator.js';
import { markField, type RecordType } from './record-type.js';

/** A property that records are found by. */
export class IndexedProperty<T extends object> {
  readonly name: string;
  /** Of the hash: says where the record is in the index. */
  readonly markField: string;
  readonly #type: RecordType<T>;
  readonly #index: EncryptedOptions<never>['index'];

  constructor(type: RecordType<T>, name: string, index: EncryptedOptions<never>['index']) {
    this.#type = type;
    this.name = name;
    this.markField = markField(name);
    this.#index = index;
  }

  /** The text by which a record is found; undefined where it has no such property. @throws EncryptionConfigurationError */
  textOf(record: T): string | undefined {
    const value = (record as Readonly<Record<string, unknown>>)[this.name];
    return value === undefined || value === null ? undefined : this.textOfValue(value);
  }

  /** @throws EncryptionConfigurationError for what is no text then */
  textOfValue(value: unknown): string {
    const text = this.#normalised(value);
    if (typeof text === 'string') return text;
    const message =
      typeof this.#index === 'function'
        ? `has an index whose function has made no text of a value (${typeof text})`
        : `has an index, and a value is no text (${typeof text}): a function can make one, { index: (value) => … }`;
    throw this.#type.problem(this.name, message);
  }

  #normalised(value: unknown): unknown {
    if (typeof this.#index !== 'function') return value;
    try {
      return this.#index(value as never);
    } catch {
      // What was thrown may show the value.
      throw this.#type.problem(this.name, 'has an index whose function has thrown an error');
    }
  }
}
