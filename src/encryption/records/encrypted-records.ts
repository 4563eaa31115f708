import { Injectable } from '@nestjs/common';
import type { EncryptionParts } from '../encryption-parts.js';
import { EncryptionService } from '../encryption.service.js';
import type { RecordClass, RecordsOptions } from './record-options.js';
import { RecordStore } from './record-store.js';
import { RecordType } from './record-type.js';

/**
 * Records of classes some of whose properties are encrypted in Redis, see `Encrypted`.
 *
 * @example
 * const profiles = records.for(PaymentProfile);
 * await profiles.save(id, profile, { ttl: '30d' });
 * const [found] = await profiles.find('cardNumber', '4111 1111 1111 1111');
 */
@Injectable()
export class EncryptedRecords {
  readonly #parts: EncryptionParts;

  /** `EncryptionModule` makes it. */
  constructor(service: EncryptionService) {
    this.#parts = EncryptionService.partsOf(service);
  }

  /**
   * The records of a class. `rotate` finds its indexes once this was called: call it where the application starts, in a constructor. What it
   * needs for that is kept for each name and namespace until the application ends: have one namespace, and put a tenant into the ids.
   *
   * @throws EncryptionConfigurationError for wrong options, a class without an encrypted property, and a name that another class has
   */
  for<T extends object>(classRef: RecordClass<T>, options: RecordsOptions = {}): RecordStore<T> {
    const type = new RecordType(classRef, options, this.#parts.options.namespace);
    this.#takeName(type);
    return new RecordStore(type, this.#parts);
  }

  /** Two classes under one name would share their records, and remove each other's index. */
  #takeName<T extends object>(type: RecordType<T>): void {
    const { recordClasses } = this.#parts;
    const place = `${type.namespace}:${type.name}`;
    const owner = recordClasses.get(place);
    if (owner !== undefined && owner !== type.classRef) {
      const message = `'${type.name}' is taken by the class ${owner.name} in '${type.namespace}': give one of them another name`;
      throw type.problem('name', message);
    }
    recordClasses.set(place, type.classRef);
  }
}
