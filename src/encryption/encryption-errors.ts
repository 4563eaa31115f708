/** The `code` of an error of the encryption module, the same in each release: what to tell errors apart by. */
export type EncryptionErrorCode =
  | 'ENCRYPTION_UNKNOWN_KEY'
  | 'ENCRYPTION_TAMPERED'
  | 'ENCRYPTION_NOT_ENCRYPTED'
  | 'ENCRYPTION_UNSUPPORTED'
  | 'ENCRYPTION_SERIALIZATION'
  | 'ENCRYPTION_RECORD_INVALID'
  | 'ENCRYPTION_CONFIGURATION';

/** What every error of the encryption module extends. None of them shows a key, or what was to be encrypted. */
export abstract class EncryptionError extends Error {
  abstract readonly code: EncryptionErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** It is encrypted under a key that this process does not have: one that was removed too early, or is not distributed yet. */
export class EncryptionUnknownKeyError extends EncryptionError {
  readonly code = 'ENCRYPTION_UNKNOWN_KEY';

  /**
   * @param subject what it is: `The value of 'card:7'`
   * @param keyId id of the missing key
   */
  constructor(
    subject: string,
    readonly keyId: string,
  ) {
    super(`${subject} is encrypted under key ${keyId}, which is not among the keys of this process`);
  }
}

/** It is not what was encrypted for this place: altered, cut short, moved here from another key or field, or given another context. */
export class EncryptionTamperedError extends EncryptionError {
  readonly code = 'ENCRYPTION_TAMPERED';

  constructor(
    subject: string,
    fault = 'was altered, moved from another place, or is read with another context',
  ) {
    super(`${subject} ${fault}`);
  }
}

/** It is no envelope: what was written before encryption, or by something else. */
export class EncryptionNotEncryptedError extends EncryptionError {
  readonly code = 'ENCRYPTION_NOT_ENCRYPTED';

  constructor(subject: string) {
    super(`${subject} is not encrypted`);
  }
}

/** It is an envelope that a later version of rednest made. */
export class EncryptionUnsupportedError extends EncryptionError {
  readonly code = 'ENCRYPTION_UNSUPPORTED';

  constructor(subject: string, fault: string) {
    super(`${subject} cannot be read by this version: ${fault}`);
  }
}

/** It cannot be encrypted: JSON cannot write it. What was thrown meanwhile is not kept, since it may show the value. */
export class EncryptionSerializationError extends EncryptionError {
  readonly code = 'ENCRYPTION_SERIALIZATION';

  constructor(subject: string) {
    super(`${subject} is no Buffer, no text and nothing that JSON can write`);
  }
}
