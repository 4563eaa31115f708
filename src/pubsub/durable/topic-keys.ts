/** The keys of a durable topic. All lie in one slot, so that a script may change several at once. */
export class TopicKeys {
  readonly #prefix: string;

  constructor(
    namespace: string,
    readonly topic: string,
  ) {
    this.#prefix = `${namespace}:{${topic}}`;
  }

  /** Stream of a partition, from 0 on. An entry has the envelope in `e`, and in `g` the only group that is to handle it, if so. */
  stream(partition: number): string {
    return `${this.#prefix}:${partition}`;
  }

  /** How many partitions there are; the most that anybody has published to. */
  get partitions(): string {
    return `${this.#prefix}:partitions`;
  }

  /** Hash: of each group, when it was last seen, in milliseconds of the server's time. */
  get groups(): string {
    return `${this.#prefix}:groups`;
  }

  /** Stream of what could not be handled. */
  get dead(): string {
    return `${this.#prefix}:dead`;
  }

  /** Sorted set: the consumers of a group, and until when each counts. */
  members(group: string): string {
    return `${this.#prefix}:group:${group}:members`;
  }

  /** Hash: of each partition, until when it has an owner, and who; and in `lost`, when it was found missing. */
  owners(group: string): string {
    return `${this.#prefix}:group:${group}:owners`;
  }

  /** Hash: of each entry that is handled again, which attempt it was, and when it is due; 0 while it runs. */
  retries(group: string, partition: number): string {
    return `${this.#prefix}:group:${group}:retries:${partition}`;
  }

  /** Sorted set: ids of the events that were handled, and until when they are kept. */
  done(group: string): string {
    return `${this.#prefix}:group:${group}:done`;
  }
}
