import type { OptionTree } from '../../redis/shared.js';
import type { EventOptions, TopicOptions } from '../events/event-options.js';
import type {
  BackoffOptions,
  BufferOptions,
  GroupOptions,
  HandlerOptions,
  PubSubRootOptions,
  StreamOptions,
  SubscribeCallOptions,
} from './pubsub-options.js';

type Names<T> = Record<keyof T, true>;

const BACKOFF = { initial: true, max: true } as const satisfies Names<BackoffOptions>;

const HANDLER = { concurrency: true, timeout: true } as const satisfies Names<HandlerOptions>;

const BUFFER = { buffer: true, overflow: true } as const satisfies Names<BufferOptions>;

const GROUP = { retries: true, backoff: BACKOFF, once: true } as const satisfies OptionTree &
  Record<keyof Omit<GroupOptions, 'from'>, unknown>;

/** Of a topic. */
export const TOPIC_TREE = {
  delivery: true,
  key: true,
  partitions: true,
  keep: true,
  retention: true,
  maxLength: true,
} as const satisfies OptionTree & Names<TopicOptions>;

/** Of `@Event`. */
export const EVENT_TREE = { ...TOPIC_TREE, version: true, upgrade: true } as const satisfies OptionTree &
  Names<EventOptions>;

/** Of `EventBus.subscribe`, and of `@Subscribe` but for `signal`. */
export const SUBSCRIBE_TREE = {
  ...HANDLER,
  ...BUFFER,
  ...GROUP,
  from: true,
  group: true,
  delivery: true,
  skipOwn: true,
  onGap: true,
  name: true,
  signal: true,
} as const satisfies OptionTree & Record<keyof SubscribeCallOptions, unknown>;

/** Of `EventBus.stream`. */
export const STREAM_TREE = {
  ...BUFFER,
  skipOwn: true,
  onGap: true,
  signal: true,
} as const satisfies OptionTree & Names<StreamOptions>;

/** Of `PubSubModule.forRoot`. */
export const ROOT_TREE = {
  ...HANDLER,
  ...BUFFER,
  ...GROUP,
  namespace: true,
  publishTimeout: true,
  maxSize: true,
  topics: true,
  lease: true,
  shutdownTimeout: true,
  deadLetters: true,
  consumer: true,
  traceparent: true,
  validator: true,
} as const satisfies OptionTree & Record<keyof PubSubRootOptions, unknown>;
