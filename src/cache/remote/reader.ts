import { hashSlot } from '../../redis/index.js';
import { LinkedList } from '../../timing/linked-list.js';
import { NO_EPOCH, type Shard } from '../coherence/shard.js';
import type { Stamp } from '../stamps/stamp.js';
import type { Away } from './away.js';
import { ReadBatch } from './read-batch.js';

interface ReaderHooks {
  /** Reads the keys of one slot, and says what there is. */
  read(
    keys: readonly string[],
    slot: number,
    settle: (replies: readonly (Buffer | null)[] | Away) => void,
  ): void;
  /** How many of the values that are read lately fit into one command. */
  perCommand(): number;
  shardOf(slot: number): Shard;
  rolledBack(stamp: Stamp): void;
}

/** The reads from one hash slot. */
interface SlotReads {
  /** What is not sent yet, where there is any. */
  open: ReadBatch | undefined;
  /** Those that have to know of changes: unanswered, or still looked at. */
  readonly current: LinkedList<ReadBatch>;
}

/** Makes one MGET of the reads of one turn of the event loop, for each slot, `limit` keys, and about a megabyte. */
export class Reader {
  readonly #limit: number;
  readonly #hooks: ReaderHooks;
  /** Where there is no Cluster there is one slot, of which this stays for good. */
  readonly #slots = new Map<number, SlotReads>();
  // Made once, and not for each batch.
  readonly #sendLater = (batch: ReadBatch): void => this.#send(batch);
  readonly #releaseLater = (batch: ReadBatch): void => this.release(batch);
  readonly #rolledBack = (stamp: Stamp): void => this.#hooks.rolledBack(stamp);

  constructor(limit: number, hooks: ReaderHooks) {
    this.#limit = limit;
    this.#hooks = hooks;
  }

  /** The batch that a key of the slot is to be added to, now. */
  batch(slot: number): ReadBatch {
    const reads = this.#slots.get(slot) ?? this.#meet(slot);
    const { open } = reads;
    if (open && open.keys.length < Math.min(this.#limit, this.#hooks.perCommand())) return open;
    const batch = new ReadBatch(slot, this.#hooks.shardOf(slot));
    reads.open = batch;
    reads.current.add(batch);
    process.nextTick(this.#sendLater, batch);
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
    const reads = this.#slots.get(batch.slot);
    reads?.current.delete(batch);
    if (reads?.current.size === 0 && this.#slots.size > 1) this.#slots.delete(batch.slot);
  }

  /** What is being read of these keys may be older than a change. */
  change(keys: readonly string[]): void {
    if (this.#slots.size > 1) {
      for (const key of keys)
        for (const batch of this.#slots.get(hashSlot(key))?.current ?? []) batch.change(key);
    } else {
      for (const { current } of this.#slots.values())
        for (const batch of current) for (const key of keys) batch.change(key);
    }
  }

  /** What is asked for from now on is read after what was written in this turn: another batch may have left before that. */
  close(slot: number): void {
    const reads = this.#slots.get(slot);
    if (reads) reads.open = undefined;
  }

  #meet(slot: number): SlotReads {
    const reads: SlotReads = { open: undefined, current: new LinkedList() };
    this.#slots.set(slot, reads);
    return reads;
  }

  #send(batch: ReadBatch): void {
    const { slot, shard } = batch;
    const reads = this.#slots.get(slot);
    if (reads?.open === batch) reads.open = undefined;
    batch.epoch = shard.armed ? shard.epoch : NO_EPOCH;
    this.#hooks.read(batch.keys, slot, (replies) => {
      batch.finish(replies, this.#rolledBack);
      // Runs when those that waited for it have looked: what they do on the way may be a change.
      process.nextTick(this.#releaseLater, batch);
    });
  }
}
