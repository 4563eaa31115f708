import type { SubscriptionOptions } from '../options/pubsub-options.js';

/** Options of `@Subscribe`. Those that are left out are those of the module. */
export interface SubscribeOptions extends SubscriptionOptions {
  /** Name of a method of the same class, which is told (`EventGap`) when events may have been missed. */
  onGap?: string;
}
