/** Looks out for changes of a key, from when it is made until its end. */
export interface Lookout {
  /** Resolves when the key has changed since, or after `timeout` milliseconds. */
  wait(timeout: number): Promise<void>;
  end(): void;
}

/** Those that wait for a key to change, since another process is making its value. */
export class Waiters {
  readonly #waiters = new Map<string, Set<() => void>>();

  /** To be asked for before Redis is asked who makes the value: news of its end may come before the answer. */
  lookOut(key: string): Lookout {
    let wake = () => {};
    const changed = new Promise<void>((resolve) => (wake = resolve));
    const waiters = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, waiters.add(wake));
    return {
      async wait(timeout) {
        const timer = setTimeout(wake, timeout);
        await changed;
        clearTimeout(timer);
      },
      end: () => {
        waiters.delete(wake);
        if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
      },
    };
  }

  wake(key: string): void {
    for (const wake of this.#waiters.get(key) ?? []) wake();
  }

  wakeAll(): void {
    for (const key of this.#waiters.keys()) this.wake(key);
  }
}
