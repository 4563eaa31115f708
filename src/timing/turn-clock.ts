/**
 * `performance.now()`, read once for all that is done one after the other in a turn of the event loop: of many short steps, reading it would
 * be a large part.
 */
export class TurnClock {
  #now: number | undefined;
  readonly #forget = (): void => {
    this.#now = undefined;
  };

  now(): number {
    if (this.#now !== undefined) return this.#now;
    process.nextTick(this.#forget);
    return (this.#now = performance.now());
  }
}
