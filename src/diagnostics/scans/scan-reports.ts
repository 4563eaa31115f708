import type { RedisError } from '../../redis/index.js';
import type { Omission } from '../../inquiry/omission.js';
import type { IdleTimeUnavailableError } from './idle-time-unavailable-error.js';

/** What every walk reports. */
export interface ScanReport {
  /** Keys that were looked at, about: SCAN may tell of a key twice, and of one that came or went meanwhile or not. */
  readonly scanned: number;
  /** Whether all keys that were there all the time were looked at: not stopped, no `limit`, no slots of a Cluster that moved, no node away. */
  readonly complete: boolean;
  /** Why it is not complete, where it was neither stopped nor limited. */
  readonly failure: RedisError | undefined;
  /** `part` is a command, or `'some keys'` where the user may not look at all that SCAN tells of. */
  readonly omitted: readonly Omission[];
}

/** How a key is told of. */
export interface ReportedKey {
  /** Where it is: `host:port` of a Cluster's master; the name of the connection elsewhere. */
  readonly node: string;
  /** As text. Where its bytes are no UTF-8, with `\xff` for those that are no printable ASCII, and `\\` for a backslash; see `raw`. */
  readonly key: string;
  /** Its bytes, where they are no UTF-8. */
  readonly raw?: Buffer;
}

export interface BigKey extends ReportedKey {
  /** `string`, `hash`, …; undefined where `TYPE` is not permitted. */
  readonly type: string | undefined;
  readonly bytes: number | undefined;
  /** Of a string, its bytes. Undefined for types of modules. */
  readonly elements: number | undefined;
}

/** All keys of a type that were looked at. */
export interface TypeTotal {
  readonly keys: number;
  /** Sum, where `by` is `'bytes'`. */
  readonly bytes?: number;
  /** Sum, where `by` is `'elements'`. */
  readonly elements?: number;
}

/** Of {@link RedisInspector.bigKeys}. */
export interface BigKeysReport extends ScanReport {
  /** What the order is by: `'elements'` too where `MEMORY USAGE` is not permitted. */
  readonly by: 'bytes' | 'elements';
  /** The biggest first; those of one size by their names. */
  readonly keys: readonly BigKey[];
  /** `'unknown'`: `TYPE` is not permitted. */
  readonly byType: Readonly<Record<string, TypeTotal>>;
}

export interface StaleKey extends ReportedKey {
  /** Milliseconds; the server counts in seconds. */
  readonly idle: number;
}

/** Of {@link RedisInspector.staleKeys}. */
export interface StaleKeysReport extends ScanReport {
  /** The longest idle first. */
  readonly keys: readonly StaleKey[];
  /** How many are stale, those that are listed too. */
  readonly stale: number;
  /**
   * How many of `scanned` may or may not be stale: their value is a number from 0 to 9999, as counters and flags have, for which the server
   * keeps one object for all keys with it. None where it evicts by LRU.
   */
  readonly unknown: number;
  /** Why keys may have been used later than `idle` says, in plain words: a server that may have taken over from another, one that saves, reads from replicas. */
  readonly warnings: readonly string[];
}

/** Of {@link RedisInspector.sweep}. */
export interface SweepReport extends Omit<ScanReport, 'failure'> {
  /**
   * Why it is not complete, where it was not stopped: also what it was refused for in the middle, when some keys were removed already; and of a
   * dry run, what it would be refused for now.
   */
  readonly failure: RedisError | IdleTimeUnavailableError | undefined;
  /** How many were removed, or would be. At least: of one that was removed while its reply was lost, nothing is known. */
  readonly removed: number;
  /** How many of `scanned` stay since their idle time is not known: see {@link StaleKeysReport.unknown}. 0 with `olderThan`. */
  readonly unknown: number;
  readonly dryRun: boolean;
}
