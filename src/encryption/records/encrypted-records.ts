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
   * The records of a class. `rotate` finds its indexes once this was called: call it where the application starts, in a constructor.
   *
   * @throws EncryptionConfigurationError for wrong options, and a class without an encrypted property
   */
  for<T extends object>(classRef: RecordClass<T>, options: RecordsOptions = {}): RecordStore<T> {
    return new RecordStore(new RecordType(classRef, options, this.#parts.options.namespace), this.#parts);
  }
}
