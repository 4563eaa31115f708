import type { DeadReason } from '../bus-events.js';
import type { DeadLetter } from './dead-letter.js';

/** Which dead letters of a topic. A property that is there, and undefined, is refused. */
export interface DeadLetterFilter {
  /** Those of a group; `null` for those that were meant for every replica. @default all */
  group?: string | null;
  /** @default any */
  reason?: DeadReason;
}

/** What `DeadLetters.list` takes. */
export interface DeadLetterListOptions extends DeadLetterFilter {
  /** The most that are listed. @default all */
  limit?: number;
  /** Begins after the letter with this id. @default with the oldest */
  after?: string;
}

/**
 * One, several, all that a filter lets through, or `'all'`. Of a letter only its id is looked at. A filter that says nothing is refused: what was
 * meant to be in it may be missing.
 */
export type DeadLetterSelection =
  'all' | Pick<DeadLetter, 'id'> | readonly Pick<DeadLetter, 'id'>[] | DeadLetterFilter;

/** What `DeadLetters.replay` and `drop` take beside the letters. */
export interface DeadLetterWorkOptions {
  /** Told after each letter, or each part of many, how many were looked at, and of how many. Where it throws, the work ends there. */
  onProgress?: (progress: { readonly done: number; readonly total: number }) => unknown;
}
