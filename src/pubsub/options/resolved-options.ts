import type { ValidatorOptions } from 'class-validator';
import type { EventGap } from '../delivery/event-handler.js';
import type { TopicOptions } from '../events/event-options.js';
import type { Overflow } from './pubsub-options.js';

/** Complete and checked. Durations are milliseconds, sizes bytes. */
export interface ResolvedRootOptions {
  readonly namespace: string;
  readonly publishTimeout: number;
  readonly maxSize: number;
  readonly topics: Readonly<Record<string, TopicOptions<never>>>;
  readonly lease: number;
  readonly shutdownTimeout: number;
  readonly deadLetters: number;
  readonly consumer: string;
  readonly traceparent: (() => string | undefined) | undefined;
  readonly validator: ValidatorOptions;
  /** Where a subscription says nothing else. */
  readonly defaults: SubscriptionDefaults;
}

export interface SubscriptionDefaults {
  readonly retries: number;
  readonly backoff: ResolvedBackoff;
  /** 0 for not at all. */
  readonly once: number;
  readonly concurrency: number;
  /** `Infinity` for none. */
  readonly timeout: number;
  readonly buffer: number;
  readonly overflow: Overflow;
}

export interface ResolvedBackoff {
  readonly initial: number;
  readonly max: number;
}

/** How a handler runs. */
export interface ResolvedHandlerOptions {
  readonly name: string;
  readonly concurrency: number;
  readonly timeout: number;
}

/** A subscription whose events reach every replica, or this process only. */
export interface ResolvedListenerOptions extends ResolvedHandlerOptions {
  readonly buffer: number;
  readonly overflow: Overflow;
  readonly skipOwn: boolean;
  readonly onGap: ((gap: EventGap) => unknown) | undefined;
}

/** A subscription whose events are handled by one replica each. */
export interface ResolvedGroupOptions extends ResolvedHandlerOptions {
  readonly group: string;
  readonly retries: number;
  readonly backoff: ResolvedBackoff;
  readonly once: number;
  /** An id of `XGROUP CREATE`. */
  readonly from: string;
}
