/** What is to be done to a key of Redis: to remove an entry, or to make a stamp another. */
export type InvalidationKind = 'remove' | 'stamp';

export interface Invalidation {
  readonly key: string;
  readonly kind: InvalidationKind;
}

/** How long, in milliseconds, what was confirmed is kept: a failover may lose the last of it. */
const REMEMBERED = 10_000;

/**
 * Invalidations that Redis has not confirmed yet, so that none is lost while it is away, and those that it has confirmed lately, so
 * that a failover to a replica that lags behind can be made good. All of them may be repeated without harm.
 */
export class PendingInvalidations {
  readonly #limit: number;
  readonly #onOverflow: () => readonly Invalidation[];
  /** By key, in the order in which they were asked for. */
  readonly #pending = new Map<string, Invalidation>();
  readonly #confirmed = new Map<string, { invalidation: Invalidation; at: number }>();

  /** @param onOverflow what invalidates everything, in place of more than `limit` single ones */
  constructor(limit: number, onOverflow: () => readonly Invalidation[]) {
    this.#limit = limit;
    this.#onOverflow = onOverflow;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Whether what Redis has under the key is known to be out of date. */
  has(key: string): boolean {
    return this.#pending.size > 0 && this.#pending.has(key);
  }

  add(invalidations: readonly Invalidation[]): void {
    for (const invalidation of invalidations) this.#pending.set(invalidation.key, invalidation);
    if (this.#pending.size <= this.#limit) return;
    const everything = this.#onOverflow();
    this.#pending.clear();
    for (const invalidation of everything) this.#pending.set(invalidation.key, invalidation);
  }

  /** Done. One that was asked for again since stays. */
  confirm(invalidations: readonly Invalidation[]): void {
    const at = performance.now();
    for (const invalidation of invalidations) {
      if (this.#pending.get(invalidation.key) === invalidation) this.#pending.delete(invalidation.key);
      this.#confirmed.delete(invalidation.key);
      this.#confirmed.set(invalidation.key, { invalidation, at });
    }
    this.#forgetOld(at);
  }

  /** Has those that were confirmed lately done again, of those that `isWanted` says. */
  restore(isWanted: (invalidation: Invalidation) => boolean): void {
    this.#forgetOld(performance.now());
    const lately = Array.from(this.#confirmed.values(), ({ invalidation }) => invalidation).filter(isWanted);
    for (const { key } of lately) this.#confirmed.delete(key);
    this.add(lately.filter(({ key }) => !this.#pending.has(key)));
  }

  /** Whether any wait, or were confirmed lately. */
  hasAny(): boolean {
    this.#forgetOld(performance.now());
    return this.#pending.size > 0 || this.#confirmed.size > 0;
  }

  /** Those that wait now. */
  list(): readonly Invalidation[] {
    return [...this.#pending.values()];
  }

  #forgetOld(now: number): void {
    for (const [key, { at }] of this.#confirmed) {
      if (now - at < REMEMBERED && this.#confirmed.size <= this.#limit) return;
      this.#confirmed.delete(key);
    }
  }
}
