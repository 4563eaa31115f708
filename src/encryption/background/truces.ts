/** How many values are remembered. */
const REMEMBERED = 1_000;
/** Milliseconds. */
const TRUCE = 600_000;

/**
 * While a new key is promoted, replicas that write with the old one are still there: each would undo what the other does. A value that was
 * encrypted anew and comes back under the same key shows that someone writes with that key: it is left alone for ten minutes.
 */
export class Truces {
  /** Keys, by id, and until when. */
  readonly #until = new Map<number, number>();
  /** Values that were encrypted anew, and the key that they were under. The first are kept, since of more than fit the last would never be met again. */
  readonly #replaced = new Map<string, number>();
  #rememberedUntil = -Infinity;

  /** Whether what is under a key is to be left alone now. */
  holds(keyId: number): boolean {
    const until = this.#until.get(keyId);
    return until !== undefined && performance.now() < until;
  }

  /** Begins a truce if the value was encrypted anew before, and is under the same key again. @returns whether it has begun */
  beginIfBack(value: string, keyId: number): boolean {
    if (this.#replaced.get(value) !== keyId) return false;
    this.#replaced.delete(value);
    this.#until.set(keyId, performance.now() + TRUCE);
    return true;
  }

  remember(value: string, keyId: number): void {
    const now = performance.now();
    if (now >= this.#rememberedUntil) {
      this.#replaced.clear();
      this.#rememberedUntil = now + TRUCE;
    }
    if (this.#replaced.size < REMEMBERED || this.#replaced.has(value)) this.#replaced.set(value, keyId);
  }
}
