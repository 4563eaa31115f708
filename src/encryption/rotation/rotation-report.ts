/** What a rotation has done, and what is left to do. */
export interface RotationReport {
  /** Whether all keys were looked at. */
  readonly completed: boolean;
  /** Where to go on, for `rotate({ resume })`; undefined where it is completed. */
  readonly resume: string | undefined;
  /** Values and fields of hashes that were encrypted anew. */
  readonly reencrypted: number;
  /** Those that could not be: altered, under a key that is not there, with a context that was not given. */
  readonly refused: number;
  /** What is under each key, as it was counted afterwards; undefined where it was not completed. */
  readonly usage: KeyUsageReport | undefined;
}

/** What is under each key. */
export interface KeyUsageReport {
  /** The keys of this process, the primary one first, then those that it does not have. */
  readonly keys: readonly KeyUsage[];
  /** Values that are not encrypted, among the keys that were looked at. */
  readonly plaintext: number;
  /** Ids of the keys that nothing is under any more, and that can be taken out of `ENCRYPTION_DECRYPT_KEYS` if every replica writes with the primary key. */
  readonly removable: readonly string[];
}

export interface KeyUsage {
  readonly keyId: string;
  readonly role: 'primary' | 'decrypt' | 'unknown';
  /** Values of keys. */
  readonly values: number;
  /** Fields of hashes. */
  readonly fields: number;
  /** Entries of blind indexes. */
  readonly indexEntries: number;
}
