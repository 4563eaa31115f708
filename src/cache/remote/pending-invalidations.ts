/** What is to be done to a key of Redis: to remove an entry, or to make a stamp another. */
export type InvalidationKind = 'remove' | 'stamp';

export interface Invalidation {
  readonly key: string;
  readonly kind: InvalidationKind;
}

interface Confirmed {
  readonly invalidation: Invalidation;
  readonly at: number;
}

/** What was confirmed so many milliseconds before a master was lost may be lost with it: a replica lags behind by less. */
const UNSAFE = 10_000;

/** How long, in milliseconds, it is kept: that a master was lost may be noticed late. */
const REMEMBERED = 60_000;

/**
 * Invalidations that Redis has not confirmed yet. Those that are under way only hide from this process what they are about to
 * change; those that Redis did not answer in time, or refused, wait to be sent again, so that none is lost while it is away. Those
 * that it has confirmed lately are kept too, so that a failover to a replica that lags behind can be made good. All of them may be
 * repeated without harm.
 */
export class PendingInvalidations {
  readonly #limit: number;
  readonly #onOverflow: () => readonly Invalidation[];
  /** All by key; those that wait in the order in which they were asked for. */
  readonly #underWay = new Map<string, Invalidation>();
  readonly #waiting = new Map<string, Invalidation>();
  /** Those that a master may have lost. They do not count towards the limit: nothing went wrong with them. */
  readonly #restored = new Map<string, Invalidation>();
  readonly #confirmed = new Map<string, Confirmed>();
  /** When the last was confirmed that could not be kept for want of room. */
  #forgottenAt = -Infinity;

  /** @param onOverflow what invalidates everything, in place of more than `limit` single ones */
  constructor(limit: number, onOverflow: () => readonly Invalidation[]) {
    this.#limit = limit;
    this.#onOverflow = onOverflow;
  }

  /** How many wait to be sent again. */
  get size(): number {
    return this.#waiting.size + this.#restored.size;
  }

  /** Whether there are none, under way or waiting. */
  get isEmpty(): boolean {
    return this.#underWay.size === 0 && this.size === 0;
  }

  /** Whether what Redis has under the key is known to be out of date. */
  has(key: string): boolean {
    return this.#underWay.has(key) || this.#waiting.has(key) || this.#restored.has(key);
  }

  /** They are being sent. What waits under the same keys is done with them. */
  begin(invalidations: readonly Invalidation[]): void {
    for (const invalidation of invalidations) {
      const { key } = invalidation;
      this.#waiting.delete(key);
      this.#restored.delete(key);
      this.#underWay.set(key, invalidation);
    }
  }

  /** One that was begun has not come to a good end in time. One that was asked for again since, or is done by now, does not wait. */
  postpone(invalidation: Invalidation): void {
    const { key } = invalidation;
    if (this.#underWay.get(key) !== invalidation) return;
    this.#underWay.delete(key);
    this.#waiting.set(key, invalidation);
    if (this.#waiting.size > this.#limit) this.#waitForEverything();
  }

  /** Done. One that was asked for again since stays. */
  confirm(invalidations: readonly Invalidation[]): void {
    const at = performance.now();
    for (const invalidation of invalidations) {
      this.settle(invalidation);
      this.#confirmed.delete(invalidation.key);
      this.#confirmed.set(invalidation.key, { invalidation, at });
    }
    this.#forgetOld(at);
  }

  /** It is no longer needed: what it would have removed was replaced. */
  settle(invalidation: Invalidation): void {
    for (const unconfirmed of [this.#underWay, this.#waiting, this.#restored])
      if (unconfirmed.get(invalidation.key) === invalidation) unconfirmed.delete(invalidation.key);
  }

  /**
   * Has those that were confirmed lately done again.
   *
   * @param isWanted which of them concern the master that was lost
   * @param lostAt `performance.now()` when it last was as it should be
   */
  restore(isWanted: (invalidation: Invalidation) => boolean, lostAt = performance.now()): void {
    const isUnsafe = (at: number) => lostAt - at < UNSAFE;
    for (const [key, { invalidation, at }] of this.#confirmed) {
      if (!isUnsafe(at) || !isWanted(invalidation)) continue;
      this.#confirmed.delete(key);
      if (!this.has(key)) this.#restored.set(key, invalidation);
    }
    if (!isUnsafe(this.#forgottenAt)) return;
    this.#forgottenAt = -Infinity;
    this.#waitForEverything();
  }

  /** Whether there is anything that a master which takes over may not have heard of. */
  hasAny(): boolean {
    this.#forgetOld(performance.now());
    return this.#underWay.size > 0 || this.size > 0 || this.#confirmed.size > 0;
  }

  /** Those that wait now. */
  list(): readonly Invalidation[] {
    return [...this.#waiting.values(), ...this.#restored.values()];
  }

  #waitForEverything(): void {
    const everything = this.#onOverflow();
    this.#waiting.clear();
    for (const invalidation of everything) this.#waiting.set(invalidation.key, invalidation);
  }

  #forgetOld(now: number): void {
    for (const [key, { at }] of this.#confirmed) {
      if (now - at < REMEMBERED && this.#confirmed.size <= this.#limit) return;
      this.#confirmed.delete(key);
      if (now - at < UNSAFE) this.#forgottenAt = at;
    }
  }
}
