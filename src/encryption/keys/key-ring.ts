import type { RingKey } from './ring-key.js';

/** The keys that a process has: one that it writes with, and others that it only reads with. */
export class KeyRing implements Iterable<RingKey> {
  /** What is written from now on is encrypted under it. */
  readonly primary: RingKey;
  readonly #keys: ReadonlyMap<number, RingKey>;

  /** @param others ids are all different */
  constructor(primary: RingKey, others: readonly RingKey[]) {
    this.primary = primary;
    this.#keys = new Map([primary, ...others].map((key) => [key.id, key]));
  }

  /** The key with that id; no other is ever tried. */
  get(id: number): RingKey | undefined {
    return this.#keys.get(id);
  }

  /** The primary key first. */
  [Symbol.iterator](): Iterator<RingKey> {
    return this.#keys.values();
  }
}
