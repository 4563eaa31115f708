import { setTimeout as sleep } from 'node:timers/promises';
import { RedisTimeoutError } from '../redis/index.js';
import { Linked, LinkedList } from './linked-list.js';

class Pending extends Linked<Pending> {
  /** @param dueAt by `performance.now()` */
  constructor(
    readonly dueAt: number,
    readonly reject: (error: RedisTimeoutError) => void,
  ) {
    super();
  }
}

/** Gives up on replies that are late, all after the same time: one timer for all of them, since few ever are. */
export class TimeLimit {
  readonly #milliseconds: number;
  /** The oldest first. */
  readonly #pending = new LinkedList<Pending>();
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** @throws RedisTimeoutError for what is late: it may still take effect */
  apply<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending = new Pending(performance.now() + this.#milliseconds, reject);
      this.#pending.add(pending);
      if (!this.#timer) this.#checkIn(this.#milliseconds);
      reply.then(
        (value) => {
          this.#pending.delete(pending);
          resolve(value);
        },
        (error: unknown) => {
          this.#pending.delete(pending);
          reject(error);
        },
      );
    });
  }

  /** Waits until no reply is awaited any more, for as long as one may take. */
  async settled(): Promise<void> {
    const until = performance.now() + this.#milliseconds;
    // What is about to be sent belongs to it.
    do await sleep(1);
    while (this.#pending.size > 0 && performance.now() < until);
  }

  #checkIn(milliseconds: number): void {
    // After a long turn of the event loop a reply may be there, unread: it is read before what is set here runs.
    this.#timer = setTimeout(() => setImmediate(() => this.#check()), milliseconds).unref();
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let pending = this.#pending.first; pending; pending = this.#pending.first) {
      if (pending.dueAt > now) return this.#checkIn(Math.ceil(pending.dueAt - now));
      this.#pending.delete(pending);
      pending.reject(new RedisTimeoutError(`No answer within ${this.#milliseconds} ms`));
    }
  }
}
