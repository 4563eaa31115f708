import type { Duration } from '../../redis/index.js';

/** What a value was encrypted with beside its place. */
export interface ContextOptions {
  /**
   * What the value belongs to, beside its key: a tenant, a version, whatever is known where it is read. It is not stored; without the same
   * context the value cannot be decrypted. @default none
   */
  context?: string | Uint8Array;
}

/** How a value is written. */
export interface SetOptions extends ContextOptions {
  /** After what time it is gone; `'keep'` leaves the time that there is. @default never */
  ttl?: Duration | 'keep';
  /** Writes only where there is no value yet (`NX`), or only where there is one (`XX`). */
  condition?: 'NX' | 'XX';
}

/** How several values are written, or fields of a hash. */
export interface SetManyOptions extends ContextOptions {
  /** After what time each is gone; of a hash, the hash. @default never; of a hash, the time that there is stays */
  ttl?: Duration;
}
