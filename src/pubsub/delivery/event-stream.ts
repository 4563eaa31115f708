import type { BusEventPublisher } from '../bus-events.js';
import type { ResolvedListenerOptions } from '../options/resolved-options.js';
import { Signal } from '../../timing/signal.js';
import { nameOf, type Subject } from '../subscriptions/subject.js';
import { BoundedBuffer } from './bounded-buffer.js';
import type { EventGap } from './event-handler.js';
import { GapNotices } from './gap-notices.js';
import type { Received } from './receiver.js';

/** What an {@link EventStream} is made of. */
export interface EventStreamOptions extends Pick<
  ResolvedListenerOptions,
  'name' | 'buffer' | 'overflow' | 'skipOwn' | 'onGap'
> {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Events as they come, for `for await`. Those that are not taken yet wait in a buffer. It ends, and its subscription with it, when the loop
 * is left, its signal is aborted or, after what waits, the application shuts down; never with an error. A shutdown does not wait for it.
 */
export class EventStream<E> implements AsyncIterableIterator<E, undefined>, AsyncDisposable {
  /** @internal */
  readonly subject: Subject;
  /** @internal */
  readonly options: EventStreamOptions;
  readonly #buffer: BoundedBuffer;
  readonly #room = new Signal();
  readonly #ready = new Signal();
  readonly #gaps: GapNotices;
  readonly #onEnd: () => unknown;
  /** Calls of `next` that nothing has come for yet. */
  readonly #takers: ((result: IteratorResult<E, undefined>) => void)[] = [];
  readonly #onAbort = (): void => this.#end();
  #closed = false;
  #ended = false;
  #isReady = false;

  /**
   * @param onEnd called once, when nobody reads any more; what it throws or rejects with is ignored
   * @internal
   */
  constructor(
    subject: Subject,
    options: EventStreamOptions,
    events: BusEventPublisher,
    onEnd: () => unknown,
  ) {
    this.subject = subject;
    this.options = options;
    this.#buffer = new BoundedBuffer(options);
    this.#gaps = new GapNotices({ ...options, topic: nameOf(subject) }, events);
    this.#onEnd = onEnd;
    if (options.signal?.aborted) this.#end();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Resolves when its subscription stands, and events come; or when it ends. Never rejects. */
  get ready(): Promise<void> {
    return this.#isReady ? Promise.resolve() : this.#ready.wait();
  }

  /** How many events wait. */
  get buffered(): number {
    return this.#buffer.size;
  }

  /** @internal */
  get isFull(): boolean {
    return this.options.overflow === 'wait' && !this.#closed && this.#buffer.isFull;
  }

  /** @internal */
  room(): Promise<void> {
    return this.isFull ? this.#room.wait() : Promise.resolve();
  }

  /** @internal */
  receive(received: Received): void {
    if (this.#closed) return;
    const taker = this.#takers.shift();
    if (taker) return taker({ done: false, value: received.event as E });
    if (!this.#buffer.push(received)) this.#gaps.dropped();
  }

  /** @internal */
  gap(gap: EventGap): void {
    if (!this.#closed) this.#gaps.tell(gap);
  }

  /** Several calls at a time are answered in their order. */
  next(): Promise<IteratorResult<E, undefined>> {
    const received = this.#buffer.shift();
    if (received) {
      this.#taken();
      return Promise.resolve({ done: false, value: received.event as E });
    }
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  return(): Promise<IteratorResult<E, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** @internal */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stands();
    for (const taker of this.#takers.splice(0)) taker({ done: true, value: undefined });
    this.#tellRoom();
    if (this.#buffer.size === 0) this.#end();
  }

  /**
   * At once: nobody may ever read what waits, and it can still be read when it is closed.
   *
   * @internal
   */
  drained(): Promise<void> {
    return Promise.resolve();
  }

  /** @internal */
  abort(_reason?: unknown): void {
    this.#end();
  }

  /** @internal */
  stands(): void {
    this.#isReady = true;
    this.#ready.tell();
  }

  #taken(): void {
    if (this.#closed && this.#buffer.size === 0) this.#end();
    else if (this.#buffer.hasRoom) this.#tellRoom();
  }

  #tellRoom(): void {
    this.#gaps.endBurst();
    this.#room.tell();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    this.#buffer.clear();
    this.close();
    void Promise.resolve()
      .then(this.#onEnd)
      .catch(() => undefined);
  }
}
