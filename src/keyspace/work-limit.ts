/** Lets so much be done at a time, and no more. */
export class WorkLimit {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

/** Waits for all of them, so that none goes on alone. @throws what the first of them has failed with */
export async function allDone(work: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

/**
 * Does the work with each of them, so many at a time. With no further one after a failure, or where it is stopped.
 *
 * @throws what the first of them has failed with
 */
export async function withEach<T>(
  items: readonly T[],
  { concurrency, signal }: { readonly concurrency: number; readonly signal: AbortSignal | undefined },
  work: (item: T) => Promise<void>,
): Promise<void> {
  const limit = new WorkLimit(concurrency);
  let hasFailed = false;
  const start = async (item: T): Promise<void> => {
    if (hasFailed || signal?.aborted) return;
    try {
      await work(item);
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  };
  await allDone(items.map((item) => limit.run(() => start(item))));
}
