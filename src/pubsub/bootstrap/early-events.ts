import { setImmediate as nextTurn } from 'node:timers/promises';
import { EventBusFullError } from '../pubsub-errors.js';

/** How many events may wait for the application to be ready. */
const MOST_EARLY = 10_000;

/** Sent in one turn of the event loop, so that handlers which are not done at once are not flooded. */
const AT_A_TIME = 100;

/** What is published before the handlers of the process are there, in order. Then it is sent, and nothing waits any more. */
export class EarlyEvents<T> {
  readonly #waiting: T[] = [];
  #isOver = false;

  /** Whether what is published goes its way at once. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** @throws EventBusFullError */
  add(topic: string, event: T): void {
    if (this.#waiting.length >= MOST_EARLY) throw new EventBusFullError(topic, MOST_EARLY);
    this.#waiting.push(event);
  }

  /**
   * Sends what has waited. What is published meanwhile comes after it.
   *
   * @param send gives a promise where the next is to wait; it must not be rejected
   */
  async release(send: (event: T) => Promise<unknown> | undefined): Promise<void> {
    while (this.#waiting.length > 0) {
      for (const event of this.#waiting.splice(0, AT_A_TIME)) {
        const room = send(event);
        if (room) await room;
      }
      if (this.#waiting.length > 0) await nextTurn();
    }
    this.#isOver = true;
  }

  /** Nothing waits any more. @returns what has not been sent */
  abandon(): T[] {
    this.#isOver = true;
    return this.#waiting.splice(0);
  }
}
