import type { PropertyProblem } from '../../classes/property-problems.js';
import { EncryptionError } from '../encryption-errors.js';

/** A record is not what its class says. Nothing was written. Of encrypted properties it tells which rule they break, and nothing of their values. */
export class EncryptionRecordInvalidError extends EncryptionError {
  readonly code = 'ENCRYPTION_RECORD_INVALID';

  /** @param record name of the class */
  constructor(
    readonly record: string,
    readonly problems: readonly PropertyProblem[],
  ) {
    super(`A record of ${record} is not valid: ${problems.map(({ message }) => message).join('; ')}`);
  }
}
