import type { BusEventPublisher } from '../bus-events.js';
import type { Delivery } from '../events/event-options.js';
import type { ResolvedListenerOptions } from '../options/resolved-options.js';
import { Signal } from '../../timing/signal.js';
import { nameOf, type Subject } from '../subscriptions/subject.js';
import { BoundedBuffer } from './bounded-buffer.js';
import { type Arrival, EventContext } from './event-context.js';
import type { EventGap, EventHandler } from './event-handler.js';
import { GapNotices } from './gap-notices.js';
import type { Received, Receiver } from './receiver.js';
import { Runner } from './runner.js';

export type { Received, Receiver } from './receiver.js';

/**
 * Gives events to a handler, a few at a time; the others wait in a buffer. Events with the same key are handled one after the other: while
 * one of them is, those behind the next wait, too.
 */
export class Listener implements Receiver {
  readonly subject: Subject;
  readonly options: ResolvedListenerOptions;
  readonly #runner: Runner;
  readonly #gaps: GapNotices;
  readonly #buffer: BoundedBuffer;
  readonly #room = new Signal();
  readonly #arrival: Arrival;
  readonly #ownArrival: Arrival;
  readonly #localArrival: Arrival;
  /** Those whose handlers are not done yet. */
  readonly #contexts = new Set<EventContext>();
  readonly #keys = new Set<string>();
  #running = 0;
  #isStarting = false;
  #closed = false;
  #aborted = false;
  #drained: (() => void)[] = [];

  constructor(
    subject: Subject,
    handler: EventHandler,
    options: ResolvedListenerOptions,
    delivery: Delivery,
    events: BusEventPublisher,
  ) {
    this.subject = subject;
    this.options = options;
    this.#runner = new Runner(handler, options, events);
    this.#gaps = new GapNotices({ ...options, topic: nameOf(subject) }, events);
    this.#buffer = new BoundedBuffer(options);
    this.#arrival = { delivery, attempt: 1, isOwn: false };
    this.#ownArrival = { ...this.#arrival, isOwn: true };
    this.#localArrival = { ...this.#ownArrival, delivery: 'local' };
  }

  /** How many events wait. */
  get buffered(): number {
    return this.#buffer.size;
  }

  get isFull(): boolean {
    return this.options.overflow === 'wait' && !this.#closed && this.#buffer.isFull;
  }

  room(): Promise<void> {
    return this.isFull ? this.#room.wait() : Promise.resolve();
  }

  receive(received: Received): void {
    if (this.#closed) return;
    if (this.#buffer.size === 0 && this.#mayStart(received)) return this.#start(received);
    if (!this.#buffer.push(received)) this.#gaps.dropped();
  }

  gap(gap: EventGap): void {
    if (!this.#closed) this.#gaps.tell(gap);
  }

  close(): void {
    this.#closed = true;
    this.#tellRoom();
  }

  drained(): Promise<void> {
    if (this.#isDone()) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  abort(reason: unknown): void {
    this.close();
    this.#aborted = true;
    this.#buffer.clear();
    for (const context of this.#contexts) context.abort(reason);
    this.#tellDrained();
  }

  #mayStart({ envelope }: Received): boolean {
    if (this.#running >= this.options.concurrency) return false;
    return this.#keys.size === 0 || envelope.key === undefined || !this.#keys.has(envelope.key);
  }

  #start(received: Received): void {
    const { event, envelope } = received;
    const { key } = envelope;
    const context = new EventContext(envelope, this.#arrivalOf(received));
    this.#running++;
    if (key !== undefined) this.#keys.add(key);
    const outcome = this.#runner.run(event, context);
    if (!(outcome instanceof Promise)) return this.#ended(key);
    this.#contexts.add(context);
    void outcome.then(() => {
      this.#contexts.delete(context);
      this.#ended(key);
    });
  }

  #arrivalOf({ isOwn, isLocal }: Received): Arrival {
    if (isLocal) return this.#localArrival;
    return isOwn ? this.#ownArrival : this.#arrival;
  }

  #ended(key: string | undefined): void {
    this.#running--;
    if (key !== undefined) this.#keys.delete(key);
    if (this.#buffer.size > 0) this.#startNext();
    else if (this.#drained.length > 0) this.#tellDrained();
  }

  #startNext(): void {
    // A handler that is done at once comes back here by way of #ended: the loop of the outermost call does the work of all.
    if (this.#isStarting) return;
    this.#isStarting = true;
    for (let next = this.#buffer.first; next && this.#mayStart(next); next = this.#buffer.first) {
      this.#buffer.shift();
      this.#start(next);
    }
    this.#isStarting = false;
    if (this.#buffer.hasRoom) this.#tellRoom();
    this.#tellDrained();
  }

  #tellRoom(): void {
    this.#gaps.endBurst();
    this.#room.tell();
  }

  #isDone(): boolean {
    return this.#aborted || (this.#running === 0 && this.#buffer.size === 0);
  }

  #tellDrained(): void {
    if (this.#isDone()) for (const resolve of this.#drained.splice(0)) resolve();
  }
}
