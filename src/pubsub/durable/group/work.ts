import type { Entry } from './entry.js';

/** What stands in line to be handled, and how much of it is at a time. */
export class Work {
  readonly #concurrency: number;
  readonly #handle: (entry: Entry) => Promise<void> | undefined;
  #ready: Entry[] = [];
  #next = 0;
  #running = 0;
  #isAlone = false;
  #isPumping = false;

  /** @param handle never throws, nor rejects; undefined where it was done at once */
  constructor(concurrency: number, handle: (entry: Entry) => Promise<void> | undefined) {
    this.#concurrency = concurrency;
    this.#handle = handle;
  }

  add(entry: Entry): void {
    this.#ready.push(entry);
    this.pump();
  }

  /** Does what can be done. What is handled at once may add more: it is done here, too, and not deeper and deeper. */
  pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let entry = this.#take(); entry; entry = this.#take()) this.#start(entry);
    this.#isPumping = false;
  }

  #take(): Entry | undefined {
    const entry = this.#ready[this.#next];
    if (!entry || this.#isAlone || this.#running >= this.#concurrency) return undefined;
    if (entry.isAlone && this.#running > 0) return undefined;
    this.#next++;
    if (this.#next === this.#ready.length) {
      this.#ready = [];
      this.#next = 0;
    } else if (this.#next >= 1_024) {
      this.#ready = this.#ready.slice(this.#next);
      this.#next = 0;
    }
    return entry;
  }

  #start(entry: Entry): void {
    const done = this.#handle(entry);
    if (!done) return;
    this.#running++;
    this.#isAlone = entry.isAlone;
    void done.then(() => {
      this.#running--;
      this.#isAlone = false;
      this.pump();
    });
  }
}
