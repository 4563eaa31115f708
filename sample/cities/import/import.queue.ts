/** The queue of imports, and the name of what runs every night. */
export const IMPORT_QUEUE = 'import';
export const NIGHTLY = 'nightly';

/** How far an import is, in cities. */
export interface ImportProgress {
  done: number;
  total: number;
}

/** What an import gives when it is done. */
export interface ImportResult {
  /** Edition of the data, and layout of the keys. */
  version: string;
  /** Number of cities. */
  count: number;
}
