import type { RedisError } from '../../redis/index.js';

/** What a rotation has done, and what is left to do. */
export interface RotationReport {
  /** Whether all keys were looked at, for sure: not where slots of a Cluster were moved meanwhile, or its masters do not tell. */
  readonly completed: boolean;
  /** Where to go on, for `rotate({ resume })`; undefined where it is completed. */
  readonly resume: string | undefined;
  /**
   * Why it is not completed, or why nothing was counted: Redis was away for longer than a minute, refused something (no memory left, no
   * permission), was closed with the application, or moves slots of a Cluster. Undefined where `signal` stopped it.
   */
  readonly failure: RedisError | undefined;
  /** Values and fields of hashes that were encrypted anew. */
  readonly reencrypted: number;
  /** Those that could not be: altered, under a key that is not there, with a context that was not given. */
  readonly refused: number;
  /** Records that were moved to the entries of blind indexes under the primary key. */
  readonly reindexed: number;
  /** Entries of blind indexes that stay under another key: their index is not known here, or a record in them could not be read. */
  readonly indexEntriesLeft: number;
  /** What is under each key, as it was counted afterwards; undefined where either was not completed. */
  readonly usage: KeyUsageReport | undefined;
}

/** What is under each key, in one namespace. A server that is just making room for more keys may tell of some twice. */
export interface KeyUsageReport {
  /** The keys of this process, the primary one first, then those that it does not have. */
  readonly keys: readonly KeyUsage[];
  /** Values and fields that are not encrypted, among the keys that were looked at. */
  readonly plaintext: number;
  /**
   * Ids of the keys that nothing in the namespace is under any more, and that can be taken out of `ENCRYPTION_DECRYPT_KEYS` if every replica
   * writes with the primary key, and nothing elsewhere is under them: other namespaces, envelopes of `EncryptionService`. Empty unless all
   * keys of the namespace were looked at, and while slots of a Cluster are moved.
   */
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
