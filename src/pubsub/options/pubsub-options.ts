import type { ValidatorOptions } from 'class-validator';
import type { ByteSize, Duration } from '../../redis/index.js';
import type { EventGap } from '../delivery/event-handler.js';
import type { TopicOptions } from '../events/event-options.js';

/**
 * What becomes of events that arrive while a buffer is full: the oldest that waits is dropped, or the new one; or reading `wait`s, on a
 * connection of its own, until there is room. `wait` is not for local events, which nothing can hold back: by default they drop the oldest
 * then, and so does a pattern's full buffer for those that it gets.
 */
export type Overflow = 'drop-oldest' | 'drop-newest' | 'wait';

/** Pauses between attempts: each is twice the one before, and up to half of it random less. */
export interface BackoffOptions {
  /** Before the second attempt. @default '1s' */
  initial?: Duration;
  /** @default '5m' */
  max?: Duration;
}

/** How a group handles durable events. */
export interface GroupOptions {
  /** How often an event is handled again after its first attempt failed, before it goes to the dead letters. @default 5 */
  retries?: number;
  backoff?: BackoffOptions;
  /**
   * Keeps the ids of handled events for this time, `true` for an hour, and does not give the handler an event with such an id again.
   * @default false
   */
  once?: boolean | Duration;
  /**
   * Where a group begins that does not exist yet: with all that is kept, with what is published from now on, with what was published
   * since a time, or after an entry of the stream (`1700000000000-0`). @default 'beginning'
   */
  from?: 'beginning' | 'now' | Date | `${number}-${number}`;
}

/** What may be said of a handler. */
export interface HandlerOptions {
  /** How many events are handled at a time. Those with the same key never are. @default 10 */
  concurrency?: number;
  /** How long the handler may take. Then its signal is aborted, and the event counts as failed. @default as long as it takes */
  timeout?: Duration;
}

/** How a buffer holds events that wait. */
export interface BufferOptions {
  /** How many events may wait. @default 1000 */
  buffer?: number;
  /** @default 'drop-oldest' */
  overflow?: Overflow;
}

/** What may be said of any subscription. */
export interface SubscriptionOptions extends HandlerOptions, BufferOptions, GroupOptions {
  /**
   * Of a durable event, needed unless `delivery` is 'broadcast': the name of a consumer group. Each event is handled by one replica of
   * each group. `retries`, `backoff`, `once` and `from` are for groups only, `buffer` and `overflow` for all others.
   */
  group?: string;
  /** Of a durable event: 'broadcast' for every replica to handle it, as it is published, without retries. */
  delivery?: 'broadcast';
  /** Whether events that this very process published are left out. Not for groups, nor for local events. @default false */
  skipOwn?: boolean;
}

/** What `EventBus.subscribe` takes. */
export interface SubscribeCallOptions extends SubscriptionOptions {
  /** Told when events may have been missed. */
  onGap?: (gap: EventGap) => unknown;
  /** For logs and figures. @default the function's name */
  name?: string;
  /** Ends the subscription when it is aborted. */
  signal?: AbortSignal;
}

/** What `EventBus.stream` takes. */
export interface StreamOptions extends BufferOptions {
  skipOwn?: boolean;
  /** Told when events may have been missed. */
  onGap?: (gap: EventGap) => unknown;
  /** Ends the stream when it is aborted. */
  signal?: AbortSignal;
}

/** What `EventBus.publish` takes. */
export interface PublishOptions {
  /** Of the event: who publishes it again, after an error say, gives the same. Up to 128 letters, digits and `_ - . : /`. @default a new one */
  id?: string;
  /** In the place of what the event's class or topic says. */
  key?: string | number;
  /** W3C Trace Context. @default what `traceparent` of the module gives */
  traceparent?: string;
}

/** What `PubSubModule.forRoot` takes. */
export interface PubSubRootOptions extends HandlerOptions, BufferOptions, Omit<GroupOptions, 'from'> {
  /** First part of every key and channel. Applications that tell each other of events have the same. @default 'events' */
  namespace?: string;
  /** How long publishing an event may take until Redis counts as away. @default '2s' */
  publishTimeout?: Duration;
  /** The largest event, as it is sent. @default '1mb' */
  maxSize?: ByteSize;
  /** Topics with plain payloads. One that is not named here is broadcast. */
  topics?: Readonly<Record<string, TopicOptions<never>>>;
  /** How long a replica that is gone keeps its partitions, and their events, from others. @default '10s' */
  lease?: Duration;
  /** How long a shutdown waits for handlers. What they have not finished is left to other replicas. @default '10s' */
  shutdownTimeout?: Duration;
  /** How many dead letters are kept of a topic, roughly; when there are more, the oldest are lost. @default 10_000 */
  deadLetters?: number;
  /** By what name this process is shown as a consumer. Letters, digits, `_` and `-`, up to 40. @default the end of the host name, and the process id */
  consumer?: string;
  /** Asked at each publish for the current W3C Trace Context. */
  traceparent?: () => string | undefined;
  /** For class-validator. */
  validator?: ValidatorOptions;
}
