import type { Shard } from '../coherence/shard.js';

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
  /** What was read last: 0 where Redis had none. */
  recent = 0;
  /** The highest that was ever read: one that is lower was rolled back. */
  #highest = 0;
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
    const value = text === null ? 0 : Number(text);
    const isRolledBack = value > 0 && value < this.#highest;
    this.recent = isRolledBack || !Number.isSafeInteger(value) ? 0 : value;
    this.#highest = Math.max(this.#highest, this.recent);
    this.believed = shard ? this.recent : 0;
    if (shard) this.shard = shard;
    return isRolledBack;
  }

  /** It is known to be there, and to be kept. That alone does not make it believed: only of what was read would a change be told. */
  keep(text: string, aliveUntil: number): void {
    const value = Number(text);
    if (value !== this.believed) this.believed = 0;
    this.recent = value;
    this.#highest = Math.max(this.#highest, value);
    this.aliveUntil = aliveUntil;
  }

  /** It may be another by now. */
  forget(): void {
    if (this.believed > 0) this.believed = 0;
  }

  /** It is another by now, for this process at once: what has recorded the old one is of no more use, not even as a fallback. */
  invalidate(): void {
    this.recent = Math.min(this.recent, 0) - 1;
    this.believed = this.recent;
    this.aliveUntil = 0;
  }
}
