import { hashSlot } from '../../redis/index.js';
import { NO_EPOCH, type Shard } from '../coherence/shard.js';
import type { Stamp } from '../stamps/stamp.js';
import type { Away } from './away.js';
import { ReadBatch } from './read-batch.js';

interface ReaderHooks {
  /** Reads the keys of one slot; never rejects. */
  read(keys: readonly string[], slot: number): Promise<readonly (Buffer | null)[] | Away>;
  /** How many of the values that are read lately fit into one command. */
  perCommand(): number;
  shardOf(slot: number): Shard;
  rolledBack(stamp: Stamp): void;
}

/** Makes one MGET of the reads of one turn of the event loop, for each slot, `limit` keys, and about a megabyte. */
export class Reader {
  readonly #limit: number;
  readonly #hooks: ReaderHooks;
  readonly #open = new Map<number, ReadBatch>();
  /** Those that have to know of changes: unanswered, or still looked at. By slot, of which there is one where there is no Cluster. */
  readonly #current = new Map<number, Set<ReadBatch>>();

  constructor(limit: number, hooks: ReaderHooks) {
    this.#limit = limit;
    this.#hooks = hooks;
  }

  /** The batch that a key of the slot is to be added to, now. */
  batch(slot: number): ReadBatch {
    const open = this.#open.get(slot);
    if (open && open.keys.length < Math.min(this.#limit, this.#hooks.perCommand())) return open;
    const batch = new ReadBatch(slot, this.#hooks.shardOf(slot));
    this.#open.set(slot, batch);
    this.#current.set(slot, (this.#current.get(slot) ?? new Set()).add(batch));
    process.nextTick(() => void this.#send(slot, batch));
    return batch;
  }

  /** Has the stamp read in this turn. @returns the batch that it is read in */
  readStamp(stamp: Stamp): ReadBatch {
    const batch = this.batch(stamp.slot);
    batch.addStamp(stamp);
    return batch;
  }

  /** Has a batch told of changes also when it is answered, until it is released. */
  hold(batch: ReadBatch): void {
    batch.holders++;
  }

  release(batch: ReadBatch): void {
    if (--batch.holders > 0) return;
    const { slot } = batch;
    const current = this.#current.get(slot);
    if (current?.delete(batch) && current.size === 0) this.#current.delete(slot);
  }

  /** What is being read of these keys may be older than a change. */
  change(keys: readonly string[]): void {
    if (this.#current.size > 1) {
      for (const key of keys) for (const batch of this.#current.get(hashSlot(key)) ?? []) batch.change(key);
    } else {
      for (const current of this.#current.values())
        for (const batch of current) for (const key of keys) batch.change(key);
    }
  }

  async #send(slot: number, batch: ReadBatch): Promise<void> {
    if (this.#open.get(slot) === batch) this.#open.delete(slot);
    const { shard } = batch;
    batch.epoch = shard.armed ? shard.epoch : NO_EPOCH;
    const replies = await this.#hooks.read(batch.keys, slot);
    batch.finish(replies, (stamp) => this.#hooks.rolledBack(stamp));
    // Runs when those that waited for it have looked: what they do on the way may be a change.
    process.nextTick(() => this.release(batch));
  }
}
