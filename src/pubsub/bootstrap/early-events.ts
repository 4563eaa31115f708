import { EventBusFullError } from '../pubsub-errors.js';

/** How many events may wait for the application to be ready. */
const MOST_EARLY = 10_000;

/** What is published before the handlers of the process are there, in order. Then it is sent, and nothing waits any more. */
export class EarlyEvents<T> {
  readonly #waiting: T[] = [];
  #isOver = false;

  /** Whether what is published goes its way at once. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @throws EventBusFullError */
  add(topic: string, event: T): void {
    if (this.#waiting.length >= MOST_EARLY) throw new EventBusFullError(topic, MOST_EARLY);
    this.#waiting.push(event);
  }

  /**
   * Sends what has waited, at once. What is published by that comes after it, and nothing waits any more then.
   *
   * @param send must not throw
   */
  release(send: (event: T) => void): void {
    while (this.#waiting.length > 0) for (const event of this.#waiting.splice(0)) send(event);
    this.#isOver = true;
  }

  /** Nothing waits any more. @returns what has not been sent */
  abandon(): T[] {
    this.#isOver = true;
    return this.#waiting.splice(0);
  }
}
