import type { SubjectName } from '../subjects/index.js';
import type { Place } from '../subjects/subject.js';

/** What the process that publishes is told. */
export type PublisherOrder =
  | { readonly kind: 'open'; readonly subject: SubjectName; readonly place: Place }
  /** As fast as it can, with so many under way at a time. */
  | { readonly kind: 'publish'; readonly messages: number; readonly inFlight: number }
  /** One at a time, with so many milliseconds between. */
  | { readonly kind: 'drip'; readonly messages: number; readonly pause: number };

/** What the process with the handlers is told. */
export type ConsumerOrder =
  | { readonly kind: 'open'; readonly subject: SubjectName; readonly place: Place; readonly handlers: number }
  | { readonly kind: 'subscribe' }
  | { readonly kind: 'end' }
  /** Answered at once, and again when each handler has had so many messages. */
  | { readonly kind: 'expect'; readonly messages: number; readonly since: Since };

/** From when on processor time counts: from now, or from the first call of a handler. */
export type Since = 'now' | 'first call';

/** What both answer when it is done. */
export type Answer =
  | { readonly kind: 'done' }
  | ({ readonly kind: 'published' } & Published)
  | ({ readonly kind: 'received' } & Received);

/** Moments are of the clock of view.ts; processor time is of the process, in microseconds. */
export interface Published {
  readonly beganAt: number;
  readonly processor: number;
}

export interface Received {
  /** When the first message came to a handler, and the last one to the last handler. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly processor: number;
  /** Of each message, how many microseconds after it was published it came to the first handler. */
  readonly delays: readonly number[];
}
