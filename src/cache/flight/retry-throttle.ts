/** Keys that are remembered at most: those that failed longest ago go first. */
const MOST_KEYS = 10_000;

/** Keeps values that could not be refreshed from being tried again at once. */
export class RetryThrottle {
  readonly #delay: number;
  /** Until when, on the clock of `performance.now()`: the earliest first, since all wait for as long. */
  readonly #until = new Map<string, number>();

  /** @param delay milliseconds */
  constructor(delay: number) {
    this.#delay = delay;
  }

  /** The value of a key could not be refreshed. */
  postpone(key: string): void {
    const now = performance.now();
    this.#until.delete(key);
    for (const [each, until] of this.#until) {
      if (until > now && this.#until.size < MOST_KEYS) break;
      this.#until.delete(each);
    }
    this.#until.set(key, now + this.#delay);
  }

  /** Whether it is too early to try again. */
  holds(key: string): boolean {
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#until.delete(key);
    return false;
  }

  /** It may be tried at once. */
  forget(key: string): void {
    this.#until.delete(key);
  }
}
