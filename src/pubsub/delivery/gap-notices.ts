import type { BusEventPublisher } from '../bus-events.js';
import { traceOf } from '../describe-error.js';
import { logger } from '../pubsub-logger.js';
import type { EventGap } from './event-handler.js';

/** Who is told of gaps. */
export interface GapListener {
  /** Of the handler, for logs and figures. */
  readonly name: string;
  /** Topic or pattern of its subscription. */
  readonly topic: string;
  readonly onGap: ((gap: EventGap) => unknown) | undefined;
}

/** While a receiver goes on being too slow, it is told so often, in milliseconds. */
const LONGEST_BURST = 5_000;

/** The log is told less often, in milliseconds. */
const WARNINGS_APART = 60_000;

/** Tells that events may have been missed, and gathers those that were dropped: one notice for a burst of them. */
export class GapNotices {
  readonly #listener: GapListener;
  readonly #events: BusEventPublisher;
  #dropped = 0;
  #since = 0;
  /** Dropped, and not in the log yet. */
  #unlogged = 0;
  /** When the log may be told again, by `performance.now()`. */
  #warnAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(listener: GapListener, events: BusEventPublisher) {
    this.#listener = listener;
    this.#events = events;
  }

  /** Never throws. What a handler of gaps throws is logged. */
  tell(gap: EventGap): void {
    const { name, topic, onGap } = this.#listener;
    this.#events.counts.gaps++;
    this.#events.publish('gap', { topic, handler: name, gap });
    if (!onGap) return;
    new Promise((resolve) => resolve(onGap(gap))).catch((error: unknown) => this.#failed(error));
  }

  /** An event was dropped. */
  dropped(): void {
    this.#events.counts.dropped++;
    if (this.#dropped++ > 0) return;
    this.#since = Date.now();
    this.#timer = setTimeout(() => this.endBurst(), LONGEST_BURST).unref();
  }

  /** Tells of what was dropped since the last time, if anything was. */
  endBurst(): void {
    if (this.#dropped === 0) return;
    clearTimeout(this.#timer);
    const missed = this.#dropped;
    this.#dropped = 0;
    this.#warn(missed);
    this.tell({ topic: this.#listener.topic, reason: 'overflow', since: new Date(this.#since), missed });
  }

  #warn(missed: number): void {
    this.#unlogged += missed;
    const now = performance.now();
    if (now < this.#warnAt) return;
    this.#warnAt = now + WARNINGS_APART;
    const { name, topic } = this.#listener;
    const lost = this.#unlogged === 1 ? '1 event was' : `${this.#unlogged} events were`;
    this.#unlogged = 0;
    logger.warn(`${name} is too slow for what comes of '${topic}': ${lost} dropped`);
  }

  #failed(error: unknown): void {
    const { name, topic } = this.#listener;
    logger.error(`${name}: what handles gaps of '${topic}' failed`, traceOf(error));
  }
}
