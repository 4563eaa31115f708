/** The label of all that comes after the first ones. */
const OTHER = 'other';

/**
 * One thing for each value of a label. Each value is a time series, which Prometheus keeps (https://prometheus.io/docs/practices/naming/#labels):
 * those beyond the first `limit` have one in common, `other`.
 */
export class BoundedSeries<T> implements Iterable<readonly [label: string, its: T]> {
  readonly #make: () => T;
  readonly #limit: number;
  readonly #byLabel = new Map<string, T>();
  #other: T | undefined;

  constructor(make: () => T, limit: number) {
    this.#make = make;
    this.#limit = limit;
  }

  of(label: string): T {
    return this.#byLabel.get(label) ?? this.#meet(label);
  }

  *[Symbol.iterator](): Iterator<readonly [label: string, its: T]> {
    yield* this.#byLabel;
    if (this.#other !== undefined) yield [OTHER, this.#other];
  }

  #meet(label: string): T {
    if (label === OTHER || this.#byLabel.size >= this.#limit) return (this.#other ??= this.#make());
    const its = this.#make();
    this.#byLabel.set(label, its);
    return its;
  }
}
