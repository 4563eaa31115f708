/** Rings once, at the earliest of the moments that it is set to. It keeps no process alive. */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /** @param moment `performance.now()` */
  setBy(moment: number): void {
    if (moment >= this.#at) return;
    this.clear();
    this.#at = moment;
    const delay = Math.max(0, Math.ceil(moment - performance.now()));
    this.#timer = setTimeout(() => this.#due(), delay).unref();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
  }

  #due(): void {
    this.#at = Infinity;
    this.#ring();
  }
}
