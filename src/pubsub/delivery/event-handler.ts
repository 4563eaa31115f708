import type { EventContext } from './event-context.js';

/** Handles an event. Where it throws, or its promise is rejected, the event is not handled. */
export type EventHandler<E = unknown> = (event: E, context: EventContext) => unknown;

/** Why events may have been missed. */
export interface EventGap {
  /** Topic or pattern of the subscription. */
  readonly topic: string;
  /**
   * `reconnected`: the connection was away; `overflow`: the handler was too slow; `trimmed`: a stream was cut before it was read, or may have
   * been, where Redis does not count (before 7.0); `lost`: Redis has lost events of a stream (a failover, say).
   */
  readonly reason: 'reconnected' | 'overflow' | 'trimmed' | 'lost';
  /** Since when. */
  readonly since: Date;
  /** How many, where that is known. */
  readonly missed?: number;
}
