import type { ChainableCommander } from 'ioredis';
import type { Envelope } from '../events/envelope.js';
import type { Delivery } from '../events/event-options.js';

/** How an event came to its handler. */
export interface Arrival {
  readonly delivery: Delivery;
  /** The consumer group, of a durable event that is handled by one. */
  readonly group?: string | undefined;
  /** From 1 on. */
  readonly attempt: number;
  readonly isOwn: boolean;
  readonly commit?: (entry: unknown, multi: ChainableCommander) => Promise<unknown[] | undefined>;
}

/** What a handler is told beside the event. */
export class EventContext {
  readonly #envelope: Envelope;
  readonly #arrival: Arrival;
  readonly #entry: unknown;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  /**
   * The event bus makes it; unit tests call `eventContext` of `rednest/testing`.
   *
   * @param entry what `commit` of the arrival is given
   */
  constructor(envelope: Envelope, arrival: Arrival, entry?: unknown) {
    this.#envelope = envelope;
    this.#arrival = arrival;
    this.#entry = entry;
  }

  /** The same in each delivery of the event, and for all groups. */
  get id(): string {
    return this.#envelope.id;
  }

  get topic(): string {
    return this.#envelope.topic;
  }

  /** With which it was published; it was upgraded, if that is not the handler's. */
  get version(): number {
    return this.#envelope.v;
  }

  /** What the event is about: events with the same key come in order. */
  get key(): string | undefined {
    return this.#envelope.key;
  }

  /** By the publisher's clock. */
  get publishedAt(): Date {
    return new Date(this.#envelope.at);
  }

  /** W3C Trace Context of the publisher, if it gave one. */
  get traceparent(): string | undefined {
    return this.#envelope.trace;
  }

  get delivery(): Delivery {
    return this.#arrival.delivery;
  }

  get group(): string | undefined {
    return this.#arrival.group;
  }

  /** The how many-eth time it is handled, from 1 on. More than 1 for durable events only. */
  get attempt(): number {
    return this.#arrival.attempt;
  }

  /** Whether this very process published it. */
  get isOwn(): boolean {
    return this.#arrival.isOwn;
  }

  /**
   * Aborted when the handler should come to its end: its `timeout` is over, the application shuts down and does not wait any longer, or
   * another replica has taken the event over.
   */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /**
   * Executes commands, marks the event as handled and acknowledges it, all in one transaction: what the commands do is done once,
   * however often the event is delivered. The handler should do nothing that matters after it.
   *
   * On a Cluster all keys must lie in the slot of the topic: begin them with `{` topic `}`. The commands run as a script. Where the first
   * fails, nothing is done, and the event is handled again, like any that fails. Where a later one does, of a wrong type say, all others are
   * done, as `EXEC` does it, the event counts as handled, and `commit` rejects with the error.
   *
   * @param multi commands that were not executed, `redis.multi()`…
   * @returns their replies; undefined where the event was handled already, and nothing was done
   * @throws RedisError; TypeError where no group handles the event
   * @example
   * await ctx.commit(redis.multi().zincrby('ranking', 1, event.city));
   */
  async commit(multi: ChainableCommander): Promise<unknown[] | undefined> {
    const { commit } = this.#arrival;
    if (!commit) throw new TypeError(`'${this.topic}': only an event that a group handles can be committed`);
    return commit(this.#entry, multi);
  }

  /** @internal */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }
}
