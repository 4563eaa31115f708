/** An element of a {@link LinkedList}; of one at a time. */
export abstract class Linked<T> {
  /** @internal */
  list: object | undefined;
  /** @internal */
  previous: T | undefined;
  /** @internal */
  next: T | undefined;
}

/**
 * A set whose elements carry their places themselves. What comes and goes many thousand times a second leaves no garbage: tables of a `Set`
 * that are replaced keep what they held from being collected cheaply.
 */
export class LinkedList<T extends Linked<T>> implements Iterable<T> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  has(element: T): boolean {
    return element.list === this;
  }

  add(element: T): void {
    element.list = this;
    element.previous = this.#last;
    if (this.#last) this.#last.next = element;
    else this.#first = element;
    this.#last = element;
    this.#size++;
  }

  delete(element: T): void {
    if (!this.has(element)) return;
    const { previous, next } = element;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    // Links of what is gone would keep its former neighbours in memory.
    element.list = element.previous = element.next = undefined;
    this.#size--;
  }

  /** The elements as they are now, so that they may be deleted meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    const elements: T[] = [];
    for (let each = this.#first; each; each = each.next) elements.push(each);
    yield* elements;
  }
}
