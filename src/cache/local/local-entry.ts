import type { Shard } from '../coherence/shard.js';
import type { CacheEntry } from '../entry/entry.js';
import { NO_STAMP, type Stamp } from '../stamps/stamp.js';

/** What the local tier knows of an entry beside the entry itself. */
export interface LocalPlacement {
  readonly shard: Shard;
  /** The epoch in which it was read, or `NO_EPOCH` where it cannot be believed. */
  readonly epoch: number;
  /** What is known of the stamps that it recorded, in the same order. */
  readonly stamps: readonly Stamp[];
  /** On the clock of `performance.now()`: until when it is fresh and may be believed without asking. */
  readonly believedUntil: number;
}

/** An entry of the local tier. It is a hit while it is believed: looked at on every call, so it is a class of few fields. */
export class LocalEntry {
  readonly #shard: Shard;
  readonly #epoch: number;
  readonly #believedUntil: number;
  readonly #recorded: readonly number[];
  /** What is known of the stamps that it depends on, in the order of `entry.stamps`. */
  readonly stamps: readonly Stamp[];
  /** On the clock of `performance.now()`: when a refresh may be tried again. */
  refreshAt = 0;

  constructor(
    readonly entry: CacheEntry,
    { shard, epoch, stamps, believedUntil }: LocalPlacement,
  ) {
    this.#shard = shard;
    this.#epoch = epoch;
    this.#believedUntil = believedUntil;
    this.#recorded = entry.stamps;
    this.stamps = stamps;
  }

  /** The same entry, made stale now. */
  expired(now: number): LocalEntry {
    const placement = { shard: this.#shard, epoch: this.#epoch, stamps: this.stamps, believedUntil: 0 };
    const staleUntil = now + this.entry.staleUntil - this.entry.freshUntil;
    return new LocalEntry({ ...this.entry, freshUntil: 0, staleUntil }, placement);
  }

  /** @param now `performance.now()` */
  isBelieved(now: number): boolean {
    return now < this.#believedUntil && this.isTold() && this.areStampsBelieved();
  }

  /** Whether a change of the entry itself would have been told of. */
  isTold(): boolean {
    return this.#epoch === this.#shard.epoch;
  }

  /** Whether it is known to have been invalidated: it can be neither served nor stand in for anything. */
  isInvalidated(): boolean {
    const recorded = this.#recorded;
    for (let i = 0; i < recorded.length; i++) if (this.stamps[i]!.isInvalid(recorded[i]!)) return true;
    return false;
  }

  /** Whether nothing that it depends on is known, or feared, to have changed. */
  areStampsBelieved(): boolean {
    const recorded = this.#recorded;
    for (let i = 0; i < recorded.length; i++) {
      const { believed } = this.stamps[i]!;
      if (believed !== recorded[i] || believed === NO_STAMP) return false;
    }
    return true;
  }
}
