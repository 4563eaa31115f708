import type { Labels, Sample } from './metric.js';

/** How often something took how long, by fixed bounds: an addition to a number for each, where prom-client's own looks its labels up. */
export class DurationHistogram {
  readonly #bounds: readonly number[];
  /** One more than bounds: what is above the last. */
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds milliseconds, rising; what is equal to a bound is below it */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** @param milliseconds that it took */
  observe(milliseconds: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && milliseconds > bounds[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += milliseconds;
  }

  /** In seconds, as Prometheus has it: each bucket with all that is below its bound. */
  *samples(labels: Labels = {}): Iterable<Sample> {
    let count = 0;
    for (const [bucket, bound] of this.#bounds.entries()) {
      count += this.#counts[bucket]!;
      yield { labels: { ...labels, le: bound / 1_000 }, value: count, suffix: '_bucket' };
    }
    count += this.#counts.at(-1)!;
    yield { labels: { ...labels, le: '+Inf' }, value: count, suffix: '_bucket' };
    yield { labels, value: this.#sum / 1_000, suffix: '_sum' };
    yield { labels, value: count, suffix: '_count' };
  }
}
