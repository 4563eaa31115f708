import { namespace, type Namespace } from '../../redis/index.js';

/** Which key a session has. */
export class SessionKeys {
  readonly #namespace: Namespace;

  constructor(name: string) {
    this.#namespace = namespace(name);
  }

  /** What `SCAN` has to match. It matches keys of namespaces within this one too. */
  get pattern(): string {
    return this.#namespace.pattern`*`;
  }

  /** Whatever an id contains, it reaches no other key. */
  keyOf(id: string): string {
    return this.#namespace.key`${id}`;
  }

  /** Undefined for what is the key of no session, such as that of a namespace within this one. */
  idOf(key: Buffer): string | undefined {
    const escaped = key.toString().slice(this.#namespace.name.length + 1);
    try {
      const id = decodeURIComponent(escaped);
      return Buffer.from(this.keyOf(id)).equals(key) ? id : undefined;
    } catch {
      return undefined;
    }
  }
}
