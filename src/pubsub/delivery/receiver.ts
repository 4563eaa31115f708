import type { Envelope } from '../events/envelope.js';
import type { ResolvedListenerOptions } from '../options/resolved-options.js';
import type { Subject } from '../subscriptions/subject.js';
import type { EventGap } from './event-handler.js';

/** An event as it came. */
export interface Received {
  /** Of the class of the subject, if that has one. Receivers of the same subject share it. */
  readonly event: unknown;
  readonly envelope: Envelope;
  /** Whether this very process published it. */
  readonly isOwn: boolean;
  /** Whether it came without Redis. */
  readonly isLocal: boolean;
}

/** Who is given events that reach every replica, or this process only. */
export interface Receiver {
  readonly subject: Subject;
  readonly options: Pick<ResolvedListenerOptions, 'overflow' | 'skipOwn'>;
  /** Whether reading should wait. With the overflow 'wait' only. */
  readonly isFull: boolean;
  /** Resolves when it is not full, or closed. Never rejects. */
  room(): Promise<void>;
  /** Never throws. */
  receive(received: Received): void;
  /** Tells that events may have been missed. Never throws. */
  gap(gap: EventGap): void;
  /** Takes no more events. What it has goes on. */
  close(): void;
  /** Resolves when nothing runs or waits any more that an end should wait for, or when it was aborted. */
  drained(): Promise<void>;
  /** Drops what waits, and tells what runs to end. */
  abort(reason: unknown): void;
}
