import { flattenOptions, Problems, Settings, type OptionTree } from '../../redis/shared.js';
import { EncryptionConfigurationError } from '../options/encryption-configuration-error.js';

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

export interface ResolvedReindexOptions {
  readonly concurrency: number;
  readonly onProgress: ReindexOptions['onProgress'];
  readonly signal: AbortSignal | undefined;
}

const TREE = {
  concurrency: true,
  onProgress: true,
  signal: true,
} as const satisfies OptionTree & Record<keyof ReindexOptions, true>;

/** @throws EncryptionConfigurationError */
export function resolveReindexOptions(subject: string, options: ReindexOptions): ResolvedReindexOptions {
  const problems = new Problems();
  const settings = new Settings(flattenOptions(options, TREE, problems), problems);
  settings.converted('onProgress', asFunction, 'a function');
  const concurrency =
    settings.integer('concurrency', { min: 1, max: 10_000, expected: 'a whole number from 1 to 10000' }) ??
    100;
  const signal = settings.converted('signal', asSignal, 'an AbortSignal');
  problems.throwAs((found) => new EncryptionConfigurationError(subject, found));
  return { concurrency, onProgress: options.onProgress, signal };
}

function asFunction(value: unknown): object | undefined {
  return typeof value === 'function' ? value : undefined;
}

function asSignal(value: unknown): AbortSignal | undefined {
  return value instanceof AbortSignal ? value : undefined;
}
