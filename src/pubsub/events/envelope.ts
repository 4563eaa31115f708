/** What is sent: an event, and what is to be known of it. JSON, with the same names. */
export interface Envelope {
  /** Chosen by the publisher, or made by it: the same in each delivery of an event. */
  readonly id: string;
  readonly topic: string;
  /** Version of the event's form. */
  readonly v: number;
  /** When it was published, by the publisher's clock, in milliseconds since 1970. */
  readonly at: number;
  /** Which process published it. */
  readonly from: string;
  /** What it is about: see `TopicOptions.key`. */
  readonly key?: string;
  /** W3C Trace Context, `traceparent`. */
  readonly trace?: string;
  readonly data: unknown;
}

/** Why a message is not given to handlers. */
export type UnreadableReason = 'undecodable' | 'oversized' | 'invalid' | 'version';

/** A message that no handler can be given. It goes to the dead letters. */
export class UnreadableEvent extends Error {
  constructor(
    readonly reason: UnreadableReason,
    message: string,
  ) {
    super(message);
    this.name = 'UnreadableEvent';
  }
}
