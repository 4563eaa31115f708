import type { LocalEntry } from '../local/local-entry.js';
import type { ReadBatch } from '../remote/read-batch.js';
import type { Stamp } from '../stamps/stamp.js';

/** A key that is being read, and the stamps that are read with it. */
export interface Reading {
  readonly key: string;
  readonly batch: ReadBatch;
  readonly position: number;
  readonly stamps: ReadonlySet<Stamp>;
  /** What the local tier had, and was not believed. */
  readonly leftover: LocalEntry | undefined;
  /** Other batches that stamps are read in, where there are any. */
  readonly others: ReadonlySet<ReadBatch> | undefined;
  /** Where it stands among those that are asked for together. */
  readonly index: number;
}
