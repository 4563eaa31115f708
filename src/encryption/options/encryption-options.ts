import type { Binding } from '../envelope/place.js';
import type { SuiteName } from '../suites/suites.js';

/** A key: 32 random bytes, as bytes, as 64 hexadecimal characters or as base64. `openssl rand -hex 32` makes one. */
export type EncryptionKeyMaterial = string | Uint8Array;

/** A key, with an id of your choice. */
export interface EncryptionKeyWithId {
  /** One to eight hexadecimal digits, different for each key that was ever used: the date, say. @default derived from the key */
  id: string;
  key: EncryptionKeyMaterial;
}

/** A key as an option gives it; as text it may have its id in front, as in the environment: `2026:9f86…`. */
export type EncryptionKey = EncryptionKeyMaterial | EncryptionKeyWithId;

/** How what was written before encryption is read; see {@link EncryptionRootOptions.migratePlaintext}. */
export interface PlaintextMigrationOptions {
  /** When it ends: a date, or its text in ISO 8601 (`2027-01-31`). What is not encrypted by then is refused. */
  until: Date | string;
  /** What the values are: text, JSON or bytes. @default 'text' */
  as?: 'text' | 'json' | 'bytes';
}

/** The least that is read; see {@link EncryptionRootOptions.accept}. */
export interface AcceptedOptions {
  suite?: SuiteName;
  bind?: Binding;
}

/** What `EncryptionModule.forRoot` takes. */
export interface EncryptionRootOptions {
  /**
   * The key that is written with. Given here, the environment is not read.
   *
   * @default `ENCRYPTION_KEY`
   */
  key?: EncryptionKey;
  /**
   * Further keys that are only read with: one that will be written with when every replica has it, and those of values that were written
   * before.
   *
   * @default `ENCRYPTION_DECRYPT_KEYS`, separated by commas; none where `key` is given here
   */
  decryptKeys?: readonly EncryptionKey[];
  /** First part of every key in Redis, which values are bound to too. @default 'encrypted' */
  namespace?: string;
  /**
   * How values are encrypted: `'xaes-256-gcm'`, or where keys are in the hands of parties who might cheat each other
   * `'committing-aes-256-gcm'`, 32 bytes longer. Values of a weaker suite are refused. @default 'xaes-256-gcm'
   */
  suite?: SuiteName;
  /**
   * What values of the store are bound to. With `'key'`, they cannot be moved, not by `RENAME` and `COPY` either; with `'context'`, those
   * with one context can stand in for each other; with `'none'`, all can. What is read has to be bound to as much at least.
   *
   * @default 'key'
   */
  bind?: Binding;
  /**
   * What else is read, while values are moved to a stronger `suite` or `bind`: those that are read, and those that `rotate` meets, are
   * encrypted anew. @default what is written, and what is stronger
   */
  accept?: AcceptedOptions;
  /** Whether a value that is read, and is under another key or weaker than what is written, is encrypted anew under the primary key, in the background. @default true */
  reencryptOnRead?: boolean;
  /**
   * Reads values that were written before encryption, and encrypts them. This also accepts what an attacker has written: for as long as it
   * takes, and no longer. @default off
   */
  migratePlaintext?: PlaintextMigrationOptions;
}
