import { NO_EPOCH, type Shard } from '../coherence/shard.js';
import type { Stamp } from '../stamps/stamp.js';
import { AWAY, type Away } from './away.js';

/**
 * The reads of one turn of the event loop from one hash slot: one MGET. Who reads holds a position in it, and looks there when `done`
 * has resolved; that costs less than a promise for each.
 */
export class ReadBatch {
  readonly keys: string[] = [];
  readonly done: Promise<void>;
  readonly slot: number;
  readonly shard: Shard;
  /** The epoch in which it was sent; what is read may be believed while it is still the shard's. */
  epoch = NO_EPOCH;
  /** For how many it has to be told of changes: the reader until it is answered, and those that look at it longer; see `Reader.hold`. */
  holders = 1;
  #replies: readonly (Buffer | null)[] | Away = AWAY;
  readonly #positions = new Map<string, number>();
  readonly #stamps = new Map<number, Stamp>();
  #changed: Set<string> | undefined;
  #finish = () => {};

  constructor(slot: number, shard: Shard) {
    this.slot = slot;
    this.shard = shard;
    this.done = new Promise((resolve) => (this.#finish = resolve));
  }

  /** @returns the position of the key's reply */
  add(key: string): number {
    const known = this.#positions.get(key);
    if (known !== undefined) return known;
    const position = this.keys.push(key) - 1;
    this.#positions.set(key, position);
    return position;
  }

  /** Has the stamp learn what is read. */
  addStamp(stamp: Stamp): void {
    this.#stamps.set(this.add(stamp.key), stamp);
  }

  /** The key was changed: what is read of it may be older. */
  change(key: string): void {
    if (this.#positions.has(key)) (this.#changed ??= new Set()).add(key);
  }

  reply(position: number): Buffer | null | Away {
    return this.#replies === AWAY ? AWAY : (this.#replies[position] ?? null);
  }

  /** Whether what was read of the key may be kept and believed. */
  isBelievable(key: string): boolean {
    return this.#isCurrent && !this.#changed?.has(key);
  }

  /** Whether it may be kept as something that is not believed. */
  isUsable(key: string): boolean {
    return this.epoch === NO_EPOCH && !this.#changed?.has(key);
  }

  get #isCurrent(): boolean {
    return this.epoch !== NO_EPOCH && this.epoch === this.shard.epoch;
  }

  /** @param onRolledBack told of stamps that Redis has lost */
  finish(replies: readonly (Buffer | null)[] | Away, onRolledBack: (stamp: Stamp) => void): void {
    this.#replies = replies;
    for (const [position, stamp] of this.#stamps) {
      // Where it could not be read it counts as missing: nothing that depends on it is valid.
      const text = replies === AWAY ? null : (replies[position] ?? null);
      const shard = replies !== AWAY && this.isBelievable(stamp.key) ? this.shard : undefined;
      if (stamp.learn(text, shard)) onRolledBack(stamp);
    }
    this.#finish();
  }
}
