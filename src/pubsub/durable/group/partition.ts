import { LinkedList } from '../../../timing/linked-list.js';
import { Entry } from './entry.js';

/** So many entries are held with what they say; the rest waits in Redis. */
const MOST_LOADED = 500;
/** So many bytes of them. */
const MOST_BYTES = 8 * 1_024 * 1_024;
/** Beyond so many in a lane, what they say is forgotten, and read again in its turn: one key must not take the room of all others. */
const MOST_IN_LANE = 20;
/** Milliseconds from which on a parked entry is read again in its turn. */
const LONG_PARKED = 2_000;
/** So many are held in all. */
const MOST_HELD = 10_000;
/** Entries that are acknowledged by one command. */
const BATCH = 500;

interface Handlers {
  /** The turn of an entry has come. */
  ready(entry: Entry): void;
  /** @throws RedisError where they are not acknowledged */
  acknowledge(entries: readonly Entry[]): Promise<void>;
  /** There is room again, or less to do. */
  changed(): void;
}

/** A partition that this consumer owns: what was delivered of it, in what order it is handled, and what is acknowledged. */
export class Partition {
  readonly number: number;
  /** `recovering`: what was delivered before comes first; `leaving`: nothing more is begun. */
  state: 'recovering' | 'reading' | 'leaving' = 'recovering';
  readonly #handlers: Handlers;
  readonly #held = new LinkedList<Entry>();
  /** Those that wait behind one of the same lane. */
  readonly #lanes = new Map<string, Entry[] | undefined>();
  #handled: Entry[] = [];
  #acknowledging = false;
  #loaded = 0;
  #bytes = 0;
  #active = 0;
  #isWaitingForRoom = false;
  #isGone = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(number: number, handlers: Handlers) {
    this.number = number;
    this.#handlers = handlers;
  }

  /** How many were delivered, and not acknowledged. */
  get size(): number {
    return this.#held.size;
  }

  /** Whether another has it, or nobody: nothing of it is begun, or told to Redis. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** How many entries more may be read. Once it is full, none before half is done: reading one at a time would be slow. */
  room(): number {
    const isFull = this.#loaded >= MOST_LOADED || this.#bytes >= MOST_BYTES || this.#held.size >= MOST_HELD;
    const isHalf =
      this.#loaded <= MOST_LOADED / 2 && this.#bytes <= MOST_BYTES / 2 && this.#held.size < MOST_HELD;
    this.#isWaitingForRoom = isFull || (this.#isWaitingForRoom && !isHalf);
    return this.#isWaitingForRoom ? 0 : MOST_LOADED - this.#loaded;
  }

  /** Whether nothing is handled, nor to be acknowledged. */
  get isIdle(): boolean {
    return this.#active === 0 && this.#handled.length === 0 && !this.#acknowledging;
  }

  ids(): Set<string> {
    const ids = new Set<string>();
    for (let entry = this.#held.first; entry; entry = entry.next) ids.add(entry.id);
    return ids;
  }

  /** Takes an entry that was delivered; it is handled in its turn, and not before so many milliseconds are over. */
  take(entry: Entry, delay = 0): void {
    this.#held.add(entry);
    this.#loaded++;
    this.#bytes += entry.size;
    if (entry.isForOthers) return this.handled(entry);
    const { lane } = entry;
    if (lane !== undefined && this.#lanes.has(lane)) return this.#wait(entry, lane);
    if (lane !== undefined) this.#lanes.set(lane, undefined);
    if (delay > 0) this.park(entry, delay);
    else this.#handlers.ready(entry);
  }

  #wait(entry: Entry, lane: string): void {
    const waiting = this.#lanes.get(lane);
    if (!waiting) return void this.#lanes.set(lane, [entry]);
    waiting.push(entry);
    if (waiting.length > MOST_IN_LANE) this.#unload(entry);
  }

  /** Has its turn come after a while, those behind it with it. What it says is forgotten meanwhile: others need the room. */
  park(entry: Entry, delay: number): void {
    if (delay >= LONG_PARKED && entry.envelope) {
      this.#unload(entry);
      this.#handlers.changed();
    }
    this.later(entry, delay, () => this.#handlers.ready(entry));
  }

  /** Has something done about an entry after a while, if it is still to be done by this consumer then. */
  later(entry: Entry, delay: number, next: () => void): void {
    if (this.#isGone) return;
    entry.timer = setTimeout(() => {
      entry.timer = undefined;
      if (!this.#isGone && this.state !== 'leaving') next();
    }, delay).unref();
  }

  begin(): void {
    this.#active++;
  }

  end(): void {
    this.#active--;
    if (this.state === 'leaving') this.#handlers.changed();
  }

  /** Nothing more is to be done about an entry but to acknowledge it. The next of its lane has its turn, or when that is done. */
  handled(entry: Entry): void {
    this.#handled.push(entry);
    if (!entry.isOnce) this.#advance(entry);
    if (!this.#acknowledging) {
      this.#acknowledging = true;
      setImmediate(() => void this.#acknowledge());
    }
  }

  /** As {@link handled}, of one that Redis knows to be. */
  finished(entry: Entry): void {
    this.#forget(entry);
    this.#handlers.changed();
  }

  /** Begins nothing more. What it has not begun is left to the next owner. */
  leave(): void {
    if (this.state === 'leaving') return;
    this.state = 'leaving';
    this.#forgetTimers();
    this.#handlers.changed();
  }

  /** Another may own it: what is handled should come to its end. */
  drop(reason: unknown): void {
    this.#isGone = true;
    this.abort(reason);
    this.#forgetTimers();
    clearTimeout(this.#retry);
    this.#handlers.changed();
  }

  abort(reason: unknown): void {
    for (let entry = this.#held.first; entry; entry = entry.next) entry.context?.abort(reason);
  }

  #forgetTimers(): void {
    for (let entry = this.#held.first; entry; entry = entry.next) clearTimeout(entry.timer);
  }

  #unload(entry: Entry): void {
    entry.envelope = undefined;
    this.#loaded--;
    this.#bytes -= entry.size;
    entry.size = -1;
  }

  /** It was read again. @param size in bytes */
  load(entry: Entry, size: number): void {
    entry.size = size;
    this.#loaded++;
    this.#bytes += size;
  }

  #advance(entry: Entry): void {
    const { lane, hasPassed } = entry;
    if (lane === undefined || hasPassed) return;
    entry.hasPassed = true;
    const waiting = this.#lanes.get(lane);
    const next = waiting?.shift();
    if (next) this.#handlers.ready(next);
    else this.#lanes.delete(lane);
  }

  #forget(entry: Entry): void {
    this.#held.delete(entry);
    if (entry.size >= 0) {
      this.#loaded--;
      this.#bytes -= entry.size;
    }
    this.#advance(entry);
  }

  async #acknowledge(): Promise<void> {
    while (this.#handled.length > 0) {
      const batch = this.#handled.splice(0, BATCH);
      try {
        await this.#handlers.acknowledge(batch);
        for (const entry of batch) this.#forget(entry);
      } catch {
        // They are handled whatever becomes of this: it is tried again until another owner handles them.
        this.#handled.unshift(...batch);
        if (this.#isGone) break;
        this.#retry = setTimeout(() => void this.#acknowledge(), 500).unref();
        return;
      }
      this.#handlers.changed();
    }
    this.#acknowledging = false;
    this.#handlers.changed();
  }
}
