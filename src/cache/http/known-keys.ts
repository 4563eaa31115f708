/** Of each handler. */
const REMEMBERED = 1_000;

/** A key that is longer is seldom asked for twice. */
const LONGEST_TARGET = 512;

/**
 * The keys of what was asked for of late: to sort and escape takes longer than all else about a hit. By host and target one after the other,
 * since a text made of both would have to be made and hashed for each request; and all forgotten when it is full, since to know what was
 * used last takes time as well.
 */
export class KnownKeys {
  readonly #hosts = new Map<string, Map<string, string>>();
  #count = 0;

  /** @param make makes a key that is not known */
  get(host: string, target: string, make: () => string): string {
    const known = this.#hosts.get(host)?.get(target);
    if (known !== undefined) return known;
    const key = make();
    if (target.length <= LONGEST_TARGET && host.length <= LONGEST_TARGET) this.#remember(host, target, key);
    return key;
  }

  #remember(host: string, target: string, key: string): void {
    if (this.#count >= REMEMBERED) this.#hosts.clear();
    this.#count = this.#hosts.size === 0 ? 1 : this.#count + 1;
    const targets = this.#hosts.get(host);
    if (targets) targets.set(target, key);
    else this.#hosts.set(host, new Map([[target, key]]));
  }
}
