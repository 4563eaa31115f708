import { isBusy, type Burst, type Meter, type Reading } from './meter.js';

/** How many budgets an operation may take at most, where the connection is busy with much. */
const MOST_BUDGETS = 10;

/** For each so many bytes that are outstanding a budget may pass in silence: Redis sends nothing while it puts replies together. */
const BYTES_IN_SILENCE = 16 * 1_024 * 1_024;

/** The time that an operation may take: a budget, and further ones for as long as large values are on their way. */
export class Deadline {
  readonly #budget: number;
  readonly #meter: Meter;
  readonly #burst: Burst;
  readonly #expired: (isBusy: boolean) => void;
  #before: Reading;
  #budgets = 0;
  #silences = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param budget milliseconds
   * @param expired told whether the connection was busy even so; not called after `clear`
   */
  constructor(
    budget: number,
    { meter, burst }: { meter: Meter; burst: Burst },
    expired: (isBusy: boolean) => void,
  ) {
    this.#budget = budget;
    this.#meter = meter;
    this.#burst = burst;
    this.#expired = expired;
    this.#before = burst.beginning;
    this.#wait();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(): void {
    // After a long turn of the event loop the reply may be there, unread: it is read before what is set here runs.
    const timer = setTimeout(() => setImmediate(() => this.#timer === timer && this.#judge()), this.#budget);
    this.#timer = timer;
  }

  #judge(): void {
    const after = this.#meter.read(this.#burst);
    const busy =
      isBusy(this.#before, after) || ++this.#silences <= this.#meter.outstanding / BYTES_IN_SILENCE;
    if (!busy || ++this.#budgets >= MOST_BUDGETS) return this.#expired(busy);
    this.#before = after;
    this.#wait();
  }
}
