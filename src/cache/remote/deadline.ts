import { Linked, LinkedList } from '../../timing/linked-list.js';
import { isBusy, type Burst, type Meter, type Reading } from './meter.js';

/** How many budgets an operation may take at most, where the connection is busy with much. */
const MOST_BUDGETS = 10;

/** For each so many bytes that are outstanding a budget may pass in silence: Redis sends nothing while it puts replies together. */
const BYTES_IN_SILENCE = 16 * 1_024 * 1_024;

/** The time that an operation may take: a budget, and further ones for as long as large values are on their way. */
export class Deadline extends Linked<Deadline> {
  readonly burst: Burst;
  /** Told whether the connection was busy even so. */
  readonly expired: (isBusy: boolean) => void;
  /** What was seen when the budget began. */
  before: Reading;
  /** When it ends, by `performance.now()`. */
  at = 0;
  budgets = 0;
  silences = 0;

  constructor(burst: Burst, expired: (isBusy: boolean) => void) {
    super();
    this.burst = burst;
    // What was answered before it began shows nothing of how it fares itself.
    this.before = burst.answers === 0 ? burst.beginning : { ...burst.beginning, burstAnswers: burst.answers };
    this.expired = expired;
  }
}

/**
 * The deadlines of the operations that are under way. All have the same budget, so those that were set first are over first, and one timer
 * is enough: one for each operation would be a tenth of what the operation takes.
 */
export class Deadlines {
  readonly #budget: number;
  readonly #meter: Meter;
  readonly #open = new LinkedList<Deadline>();
  #timer: NodeJS.Timeout | undefined;

  /** @param budget milliseconds */
  constructor(budget: number, meter: Meter) {
    this.#budget = budget;
    this.#meter = meter;
  }

  /** @param now `performance.now()` */
  set(deadline: Deadline, now: number): void {
    deadline.at = now + this.#budget;
    this.#open.add(deadline);
    // It goes on when nothing is under way, until it is over for once: to stop and start it costs as much as a timer for each.
    if (!this.#timer) this.#wait(this.#budget);
  }

  /** @returns whether it was not over */
  clear(deadline: Deadline): boolean {
    const isOpen = this.#open.has(deadline);
    this.#open.delete(deadline);
    return isOpen;
  }

  /** Where an operation is under way there is a socket that keeps the process alive. */
  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      const now = performance.now();
      // After a long turn of the event loop replies may be there, unread: they are read before what is set here runs.
      setImmediate(() => this.#judge(now));
    }, milliseconds).unref();
  }

  /** Those that were over at a moment since when what was there has been read. */
  #judge(now: number): void {
    try {
      for (let next = this.#open.first; next && next.at <= now; next = this.#open.first) {
        this.#open.delete(next);
        this.#judgeOne(next, now);
      }
    } finally {
      // Also where one of them throws: the others are not forgotten.
      const { first } = this.#open;
      this.#timer = undefined;
      if (first) this.#wait(first.at - now);
    }
  }

  #judgeOne(deadline: Deadline, now: number): void {
    const after = this.#meter.read(deadline.burst);
    const busy =
      isBusy(deadline.before, after) || ++deadline.silences <= this.#meter.outstanding / BYTES_IN_SILENCE;
    if (!busy || ++deadline.budgets >= MOST_BUDGETS) return deadline.expired(busy);
    deadline.before = after;
    this.set(deadline, now);
  }
}
