import { BoundedSeries } from './bounded-series.js';
import type { Sample } from './metric.js';

export class Count {
  value = 0;
}

/** How often something has happened, by one label. */
export class Counts {
  readonly #label: string;
  readonly #series: BoundedSeries<Count>;

  constructor(label: string, limit: number) {
    this.#label = label;
    this.#series = new BoundedSeries(() => new Count(), limit);
  }

  add(value: string): void {
    this.#series.of(value).value++;
  }

  *samples(labels: Sample['labels'] = {}): Iterable<Sample> {
    for (const [value, count] of this.#series)
      yield { labels: { ...labels, [this.#label]: value }, value: count.value };
  }
}
