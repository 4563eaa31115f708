/** Milliseconds. Outages that end within so many of each other are one to whoever reads the log. */
const QUIET = 10_000;

export interface OutagesParts {
  /** This master, '' where there is one only, is done without. */
  readonly began: (node: string, reason: string) => void;
  /** All are used again, so many milliseconds after it began. */
  readonly ended: (milliseconds: number) => void;
}

/**
 * Tells when the first of the masters is done without, and when none is any more: at once, and where that was so a moment before, only when it has
 * lasted. Of a Redis that comes and goes there is one line while it does, and one afterwards.
 */
export class Outages {
  readonly #parts: OutagesParts;
  #count = 0;
  #isTold = false;
  /** Of `performance.now()`, as is the next. */
  #beganAt = 0;
  #endedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: OutagesParts) {
    this.#parts = parts;
  }

  begin(node: string, reason: string): void {
    if (this.#count++ > 0) return;
    clearTimeout(this.#timer);
    if (this.#isTold) return;
    this.#isTold = true;
    this.#beganAt = performance.now();
    this.#parts.began(node, reason);
  }

  end(): void {
    if (--this.#count > 0) return;
    const endedBefore = this.#endedAt;
    this.#endedAt = performance.now();
    if (this.#endedAt - endedBefore >= QUIET) this.#tellEnd();
    else this.#timer = setTimeout(() => this.#tellEnd(), QUIET).unref();
  }

  #tellEnd(): void {
    this.#isTold = false;
    this.#parts.ended(this.#endedAt - this.#beganAt);
  }
}
