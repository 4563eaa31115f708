import { resolveCall } from '../options/resolve-call.js';
import { readWorkOptions, WORK_OPTIONS, type ResolvedWorkOptions } from '../options/work-options.js';

/** How records are put into their indexes. */
export interface ReindexOptions {
  /** How many records are worked on at a time: 1 to 10,000. @default 100 */
  concurrency?: number;
  /** Called after each step. What it throws is warned of, and does not end it. */
  onProgress?: (progress: ReindexProgress) => void;
  /** Stops it when it is aborted: what is done stays done. */
  signal?: AbortSignal;
}

/** How far it is. A server that is just making room for more keys may tell of some twice. */
export interface ReindexProgress {
  /** Records that were looked at. */
  readonly done: number;
  /** Those of them that could not be found by one of their indexes, and now can. */
  readonly reindexed: number;
  /** Those that could not be read, or were written again and again meanwhile. */
  readonly left: number;
}

/** What was done. */
export interface ReindexReport extends ReindexProgress {
  /** Whether all records were looked at: else it was stopped. */
  readonly completed: boolean;
}

const TREE = WORK_OPTIONS satisfies Record<keyof ReindexOptions, true>;

/** @throws EncryptionConfigurationError */
export function resolveReindexOptions(
  subject: string,
  options: ReindexOptions,
): ResolvedWorkOptions<ReindexProgress> {
  return resolveCall(subject, TREE, options, readWorkOptions<ReindexProgress>);
}
