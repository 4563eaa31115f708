/** Tells those who wait that something has changed. */
export class Signal {
  #waiting: (() => void)[] = [];

  /** Resolves when it is told next. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  tell(): void {
    if (this.#waiting.length === 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
