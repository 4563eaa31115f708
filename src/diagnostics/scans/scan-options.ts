import type { Duration } from '../../redis/index.js';

/** How far a walk through all keys is. */
export interface ScanProgress {
  /** Keys that were looked at, about: SCAN tells only of those that match. It never falls. */
  readonly done: number;
  /** Keys that there were at the beginning. `done` is as many at the end, unless it was stopped. */
  readonly total: number;
}

/** What every walk through all keys takes. */
export interface ScanOptions {
  /** A pattern of the keys that are looked at, as `SCAN` knows it. @default all */
  match?: string;
  /** Called after each page of keys. What it throws is warned of, and does not end the walk. */
  onProgress?: (progress: ScanProgress) => void;
  /** Stops it: what was found until then is reported, with `complete: false`. */
  signal?: AbortSignal;
}

/** Options of {@link RedisInspector.bigKeys}. */
export interface BigKeysOptions extends ScanOptions {
  /** How many are reported: 1 to 10,000. @default 20 */
  top?: number;
  /**
   * `'bytes'`: as `MEMORY USAGE` estimates, which looks at 5 elements of a collection. `'elements'`: of lists, hashes and so on; of strings,
   * their bytes. @default 'bytes'
   */
  by?: 'bytes' | 'elements';
  /** Looks at so many keys at most. @default all */
  limit?: number;
}

/** Options of {@link RedisInspector.staleKeys}. */
export interface StaleKeysOptions extends ScanOptions {
  /** Not read or written for so long (`OBJECT IDLETIME`). The server counts in seconds, and up to 194 days. */
  idleFor: Duration;
  /** How many are reported, the longest idle first: 1 to 10,000. All are counted. @default 100 */
  top?: number;
  /** Looks at so many keys at most. @default all */
  limit?: number;
}

/** Options of {@link RedisInspector.sweep}. */
export type SweepKeysOptions = Omit<ScanOptions, 'match'> & {
  /** A pattern of the keys that may go, as `SCAN` knows it. There is no default: all keys of the server are `'*'`. */
  match: string;
  /** Counts what would be removed, and removes nothing. @default false */
  dryRun?: boolean;
} & (
    | {
        /** Not read or written for so long: less than 194 days, which is as far as the server counts. */
        idleFor: Duration;
        /**
         * Removes also where the server may not know of all uses: there was replication, so that it may have taken over from another, the
         * connection reads from replicas, or snapshots take as long as `idleFor`. For who knows that no server took over within `idleFor`, or that
         * nobody reads these keys. It waits for the end of a snapshot all the same. @default false: IdleTimeUnavailableError
         */
        trustIdleTimes?: boolean;
        olderThan?: never;
      }
    | {
        /** Entries of rednest's cache that were made so long ago. Other keys have no age, and are left alone. */
        olderThan: Duration;
        idleFor?: never;
        trustIdleTimes?: never;
      }
  );
