import { setImmediate as yieldToOthers, setTimeout as sleep } from 'node:timers/promises';

/** What timers can wait for; less is put together. */
const SHORTEST_PAUSE = 1;
/** After an outage, which is no work. */
const LONGEST_PAUSE = 100;

/** Leaves room for others: pauses of as long as work took, times `share`. */
export class Pace {
  readonly #share: number;
  #owed = 0;

  /** @param share 1 for half of the time */
  constructor(share = 1) {
    this.#share = share;
  }

  /** Does some work, and then pauses. */
  async do<T>(work: () => Promise<T>): Promise<T> {
    const from = performance.now();
    const result = await work();
    await this.rest(performance.now() - from);
    return result;
  }

  /** Pauses after some work. @param took milliseconds */
  async rest(took: number): Promise<void> {
    this.#owed = Math.min(this.#owed + took * this.#share, LONGEST_PAUSE);
    if (this.#owed < SHORTEST_PAUSE) return yieldToOthers();
    const from = performance.now();
    await sleep(this.#owed, undefined, { ref: false });
    this.#owed -= performance.now() - from;
  }
}
