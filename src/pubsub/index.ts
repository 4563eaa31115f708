export {
  pubsubChannel,
  type BusCounts,
  type BusEvents,
  type BusNotice,
  type DeadReason,
  type EventNotice,
  type HandlerNotice,
} from './bus-events.js';
export { type DeadLetter } from './dead-letters/dead-letter.js';
export type * from './dead-letters/dead-letter-options.js';
export type { DeadLetters } from './dead-letters/dead-letters.js';
export { Subscribe, type SubscribeDecorator } from './decorators/subscribe.js';
export { type SubscribeOptions } from './decorators/subscribe-options.js';
export { EventContext } from './delivery/event-context.js';
export { type EventGap, type EventHandler } from './delivery/event-handler.js';
export type { EventStream } from './delivery/event-stream.js';
export { EventBus, type EventData, type EventInstance } from './event-bus.js';
export { Event } from './events/event.decorator.js';
export type { Delivery, EventClass, EventOptions, TopicOptions } from './events/event-options.js';
export { PubSubConfigurationError } from './options/pubsub-configuration-error.js';
export type * from './options/pubsub-options.js';
export {
  PubSubModule,
  type PubSubModuleAsyncOptions,
  type PubSubModuleExtras,
  type PubSubModuleOptions,
  type PubSubOptionsFactory,
} from './pubsub.module.js';
export * from './pubsub-errors.js';
export { type PublishedEvent } from './publishing/publisher.js';
export { type BusStats } from './stats/bus-stats.js';
export { type GroupStats } from './stats/group-stats.js';
export type { Subscription } from './subscriptions/subscription.js';
