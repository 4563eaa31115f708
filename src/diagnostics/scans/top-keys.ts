/** A key and what it is measured by. */
export interface Measured {
  readonly key: Buffer;
  readonly size: number;
}

/**
 * The biggest of all that it was shown, and no more of them than it has room for: a binary heap with the smallest first (J. W. J. Williams,
 * "Algorithm 232: Heapsort", 1964). Of those of one size it has the first by their bytes, so that it does not depend on the order.
 */
export class TopKeys<T extends Measured> {
  readonly #room: number;
  readonly #heap: T[] = [];
  /** SCAN may tell of a key twice. */
  readonly #present = new Set<string>();

  constructor(room: number) {
    this.#room = room;
  }

  add(entry: T): void {
    const isFull = this.#heap.length === this.#room;
    if (isFull && !isBefore(this.#heap[0]!, entry)) return;
    const name = nameOf(entry);
    if (this.#present.has(name)) return;
    this.#present.add(name);
    // What the driver gives may be a part of much more, which would be kept with it.
    const own = { ...entry, key: Buffer.from(entry.key) };
    if (!isFull) {
      this.#heap.push(own);
      this.#rise(this.#heap.length - 1);
      return;
    }
    this.#present.delete(nameOf(this.#heap[0]!));
    this.#heap[0] = own;
    this.#sink();
  }

  /** The biggest first. */
  sorted(): T[] {
    return this.#heap.toSorted((left, right) => (isBefore(left, right) ? 1 : -1));
  }

  #rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!isBefore(this.#heap[at]!, this.#heap[parent]!)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(): void {
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      for (const child of [left, right])
        if (child < this.#heap.length && isBefore(this.#heap[child]!, this.#heap[least]!)) least = child;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(left: number, right: number): void {
    const kept = this.#heap[left]!;
    this.#heap[left] = this.#heap[right]!;
    this.#heap[right] = kept;
  }
}

function nameOf({ key }: Measured): string {
  return key.toString('latin1');
}

/** Whether the left one gives way first. */
function isBefore(left: Measured, right: Measured): boolean {
  if (left.size !== right.size) return left.size < right.size;
  return Buffer.compare(left.key, right.key) > 0;
}
