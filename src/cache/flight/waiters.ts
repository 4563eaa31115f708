/** Looks out for changes of a key, from when it is made until its end. */
export class Lookout {
  readonly key: string;
  /** Another that looks out for the same key. */
  next: Lookout | undefined;
  #hasChanged = false;
  #tell: (() => void) | undefined;

  constructor(key: string, next: Lookout | undefined) {
    this.key = key;
    this.next = next;
  }

  wake(): void {
    this.#hasChanged = true;
    this.#tell?.();
  }

  /** Resolves when the key has changed since it was made, or after `timeout` milliseconds. */
  async wait(timeout: number): Promise<void> {
    if (this.#hasChanged) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#tell = resolve;
      timer = setTimeout(resolve, timeout);
    });
    clearTimeout(timer);
  }
}

/** Those that wait for a key to change, since another process is making its value. */
export class Waiters {
  /** By key, each with the next one: there is seldom more than one, and one for each value that is made. */
  readonly #lookouts = new Map<string, Lookout>();

  /** To be asked for before Redis is asked who makes the value: news of its end may come before the answer. */
  lookOut(key: string): Lookout {
    const lookout = new Lookout(key, this.#lookouts.get(key));
    this.#lookouts.set(key, lookout);
    return lookout;
  }

  end(lookout: Lookout): void {
    const first = this.#lookouts.get(lookout.key);
    if (first !== lookout) {
      let before = first;
      while (before && before.next !== lookout) before = before.next;
      if (before) before.next = lookout.next;
    } else if (lookout.next) this.#lookouts.set(lookout.key, lookout.next);
    else this.#lookouts.delete(lookout.key);
  }

  wake(key: string): void {
    for (let each = this.#lookouts.get(key); each; each = each.next) each.wake();
  }

  wakeAll(): void {
    for (const key of this.#lookouts.keys()) this.wake(key);
  }
}
