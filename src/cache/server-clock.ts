/** How long, in milliseconds, a good estimate stands before a worse one may replace it: clocks drift apart. */
const ESTIMATE_LIFETIME = 60_000;

/**
 * The server's time, estimated from the answers to `TIME` (F. Cristian, "Probabilistic clock synchronization", 1989): it lies in the middle
 * of a round trip, give or take half of it. Between answers it runs on the monotonic clock, so a change of this machine's time is
 * not noticed.
 */
export class ServerClock {
  #offset = Date.now() - performance.now();
  #error = Infinity;
  #learntAt = -Infinity;

  /** Milliseconds since the epoch. */
  now(): number {
    return this.at(performance.now());
  }

  /** What it was, or will be, at a moment of `performance.now()`. */
  at(moment: number): number {
    return moment + this.#offset;
  }

  /** @param sentAt `performance.now()` when the server was asked, and `receivedAt` when it answered */
  learn(serverMilliseconds: number, sentAt: number, receivedAt: number): void {
    const error = (receivedAt - sentAt) / 2;
    if (error > this.#error && receivedAt - this.#learntAt < ESTIMATE_LIFETIME) return;
    this.#offset = serverMilliseconds - (sentAt + receivedAt) / 2;
    this.#error = error;
    this.#learntAt = receivedAt;
  }
}
