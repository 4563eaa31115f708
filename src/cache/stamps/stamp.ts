import type { Shard } from '../coherence/shard.js';

/** Recorded for a stamp that could not be had, and read where there is none: what depends on it is not valid. */
export const NO_STAMP = 0;

/**
 * What this process knows of a stamp: the number that changes whenever a tag (or a cache as a whole) is invalidated. Entries record the stamps
 * they depend on, and are valid only while each is exactly the same: neither a stamp that was lost nor clocks that differ can make
 * an entry valid again.
 */
export class Stamp {
  /**
   * What is believed without asking: 0 while it is not known, a negative number after this process has invalidated it and until it has read
   * what it is now. No entry in Redis has either recorded.
   */
  believed = 0;
  /** What was read last. */
  recent = NO_STAMP;
  /** When (`performance.now()`) that was read first, and when it was believed last. */
  recentSince = 0;
  believedAt = 0;
  /** The highest that was ever read: one that is lower was rolled back. */
  #highest = 0;
  /** The highest that was read before this process has invalidated it. */
  #outdated = 0;
  /** Until when (server time) Redis is known to keep it. */
  aliveUntil = 0;

  constructor(
    readonly key: string,
    readonly slot: number,
    /** Whose listener tells of its changes. */
    public shard: Shard,
  ) {}

  /**
   * Takes note of what was read.
   *
   * @param shard whose listener would have told of a change meanwhile; undefined where none would
   * @returns whether Redis has an older one than was seen before: an invalidation was lost, in a failover. It counts as missing
   */
  learn(text: Buffer | string | null, shard: Shard | undefined): boolean {
    const value = text === null ? NO_STAMP : Number(text);
    const isRolledBack = this.#isRolledBack(value);
    if (!this.#read(value)) return isRolledBack;
    this.believed = shard ? this.recent : 0;
    if (!shard) return isRolledBack;
    this.shard = shard;
    this.believedAt = performance.now();
    return isRolledBack;
  }

  /**
   * It is known to be there, and to be kept. That alone does not make it believed: only of what was read would a change be told.
   *
   * @returns as {@link learn}
   */
  keep(text: string, aliveUntil: number): boolean {
    const value = Number(text);
    const isRolledBack = this.#isRolledBack(value);
    if (!this.#read(value)) return isRolledBack;
    if (this.recent !== this.believed) this.believed = 0;
    this.aliveUntil = this.recent === NO_STAMP ? 0 : aliveUntil;
    return isRolledBack;
  }

  /** Whether an entry that has recorded it as it was then is known to be invalid. */
  isInvalid(recorded: number): boolean {
    const { believed } = this;
    if (believed !== NO_STAMP && believed !== recorded) return true;
    return recorded > NO_STAMP && (recorded < this.#highest || recorded <= this.#outdated);
  }

  /** It may be another by now. */
  forget(): void {
    if (this.believed > 0) this.believed = 0;
  }

  /** It is another by now, for this process at once: what has recorded the old one is of no more use, not even as a fallback. */
  invalidate(): void {
    this.#outdated = this.#highest;
    this.#set(Math.min(this.recent, NO_STAMP) - 1);
    this.believed = this.recent;
    this.aliveUntil = 0;
  }

  /** What a new one has to be higher than, for this process to take it for one. */
  get floor(): number {
    return Math.max(this.#highest, this.#outdated);
  }

  #isRolledBack(value: number): boolean {
    return value > NO_STAMP && (value < this.#highest || value <= this.#outdated);
  }

  /** @returns whether that tells anything new */
  #read(value: number): boolean {
    const read = this.#isRolledBack(value) || !Number.isSafeInteger(value) ? NO_STAMP : value;
    // That it cannot be read tells nothing new of what this process has invalidated itself.
    if (read === NO_STAMP && this.recent < NO_STAMP) return false;
    this.#set(read);
    this.#highest = Math.max(this.#highest, read);
    return true;
  }

  #set(value: number): void {
    if (value === this.recent) return;
    this.recent = value;
    this.recentSince = performance.now();
  }
}
