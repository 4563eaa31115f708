/** Milliseconds between two lines of a kind. */
const INTERVAL = 10_000;

interface Silence {
  until: number;
  leftOut: number;
}

/** Passes on one warning of a kind every 10 seconds at most, with the number of those that were left out since. */
export class LimitedWarnings {
  readonly #warn: (message: string) => void;
  readonly #silences = new Map<string, Silence>();

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  warn(kind: string, message: string): void {
    const now = performance.now();
    const silence = this.#silences.get(kind);
    if (silence && now < silence.until) {
      silence.leftOut++;
      return;
    }
    const leftOut = silence?.leftOut ?? 0;
    this.#silences.set(kind, { until: now + INTERVAL, leftOut: 0 });
    this.#warn(leftOut === 0 ? message : `${message} (and ${leftOut} more like it since the last such line)`);
  }
}
