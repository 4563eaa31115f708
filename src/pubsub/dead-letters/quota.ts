/** So many in each period, in milliseconds, and no more. */
export class Quota {
  readonly #most: number;
  readonly #period: number;
  #taken = 0;
  #endsAt = -Infinity;

  constructor({ most, period }: { readonly most: number; readonly period: number }) {
    this.#most = most;
    this.#period = period;
  }

  /** @returns whether there was one left */
  take(): boolean {
    const now = performance.now();
    if (now >= this.#endsAt) {
      this.#taken = 0;
      this.#endsAt = now + this.#period;
    }
    if (this.#taken >= this.#most) return false;
    this.#taken++;
    return true;
  }
}
