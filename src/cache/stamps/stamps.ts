import type { Shard } from '../coherence/shard.js';
import type { Stamp } from './stamp.js';

/** The stamps that this process knows of. One is known for as long as an entry, or something under way, depends on it. */
export class Stamps {
  readonly #create: (key: string) => Stamp;
  readonly #stamps = new Map<string, WeakRef<Stamp>>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    // Another may have taken its place meanwhile.
    if (!this.#stamps.get(key)?.deref()) this.#stamps.delete(key);
  });

  /** @param create makes what is known at first of the stamp under a key */
  constructor(create: (key: string) => Stamp) {
    this.#create = create;
  }

  /** The stamp under a key of Redis. */
  get(key: string): Stamp {
    const known = this.find(key);
    if (known) return known;
    const stamp = this.#create(key);
    this.#stamps.set(key, new WeakRef(stamp));
    this.#collected.register(stamp, key);
    return stamp;
  }

  find(key: string): Stamp | undefined {
    return this.#stamps.get(key)?.deref();
  }

  /** Believes none of a shard's stamps any longer. */
  forget(shard: Shard): void {
    for (const reference of this.#stamps.values()) {
      const stamp = reference.deref();
      if (stamp?.shard === shard) stamp.forget();
    }
  }
}
