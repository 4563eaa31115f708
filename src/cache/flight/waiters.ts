/** Those that wait for a key to change, since another process is making its value. */
export class Waiters {
  readonly #waiters = new Map<string, Set<() => void>>();

  /** Resolves when the key has changed, or after `timeout` milliseconds. */
  async wait(key: string, timeout: number): Promise<void> {
    let wake = () => {};
    const changed = new Promise<void>((resolve) => (wake = resolve));
    const timer = setTimeout(wake, timeout);
    const waiters = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, waiters.add(wake));
    await changed;
    clearTimeout(timer);
    waiters.delete(wake);
    if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
  }

  wake(key: string): void {
    for (const wake of this.#waiters.get(key) ?? []) wake();
  }

  wakeAll(): void {
    for (const key of this.#waiters.keys()) this.wake(key);
  }
}
