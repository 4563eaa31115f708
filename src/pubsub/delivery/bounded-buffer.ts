import type { Overflow } from '../options/pubsub-options.js';
import type { Received } from './receiver.js';

/** What was taken is cut off from the array when it is at least so much, and half of it. */
const COMPACT_FROM = 64;

/** Events that wait, the oldest first; as many as may. */
export class BoundedBuffer {
  readonly #limit: number;
  readonly #overflow: Overflow;
  #items: (Received | undefined)[] = [];
  #head = 0;

  constructor({ buffer, overflow }: { readonly buffer: number; readonly overflow: Overflow }) {
    this.#limit = buffer;
    this.#overflow = overflow;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  get isFull(): boolean {
    return this.size >= this.#limit;
  }

  /** Whether half of it is free: who waited for room finds enough to be worth the trouble. */
  get hasRoom(): boolean {
    return this.size <= this.#limit / 2;
  }

  get first(): Received | undefined {
    return this.#items[this.#head];
  }

  /**
   * With the overflow 'wait' it takes what comes from Redis although it is full: what was read before reading stopped is not lost. A local
   * event, which nothing holds back, takes the place of the oldest.
   *
   * @returns whether nothing was dropped
   */
  push(received: Received): boolean {
    if (!this.isFull || (this.#overflow === 'wait' && !received.isLocal)) {
      this.#items.push(received);
      return true;
    }
    if (this.#overflow === 'drop-newest') return false;
    this.shift();
    this.#items.push(received);
    return false;
  }

  shift(): Received | undefined {
    if (this.size === 0) return undefined;
    const received = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) this.clear();
    else if (this.#head >= COMPACT_FROM && this.#head * 2 >= this.#items.length) this.#compact();
    return received;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
