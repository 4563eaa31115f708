import { flattenOptions, Problems, Settings, type OptionTree } from '../../redis/shared.js';
import type { EventGap } from '../delivery/event-handler.js';
import type { Delivery } from '../events/event-options.js';
import { STREAM_TREE, SUBSCRIBE_TREE } from './option-trees.js';
import { PubSubConfigurationError } from './pubsub-configuration-error.js';
import type { StreamOptions, SubscribeCallOptions } from './pubsub-options.js';
import type {
  ResolvedGroupOptions,
  ResolvedListenerOptions,
  SubscriptionDefaults,
} from './resolved-options.js';
import { asStreamId, FROM_EXPECTED } from './stream-id.js';
import { readBuffer, readConcurrency, readGroup, readLocalBuffer } from './subscription-settings.js';

/** A subscription, complete: that of a group, or of a listener. */
export type ResolvedSubscription =
  | { readonly kind: 'group'; readonly options: ResolvedGroupOptions }
  | { readonly kind: 'listener'; readonly options: ResolvedListenerOptions };

/** What a `stream()` needs. */
export type ResolvedStreamOptions = Pick<
  ResolvedListenerOptions,
  'buffer' | 'overflow' | 'skipOwn' | 'onGap'
>;

const GROUP_NAME = /^[\w.-]{1,64}$/;
const GROUP_EXPECTED = "a name of up to 64 letters, digits, '_', '-' and '.'";

const GROUP_ONLY = ['group', 'retries', 'backoff', 'once', 'from'] as const;
const LISTENER_ONLY = ['delivery', 'buffer', 'overflow', 'skipOwn', 'onGap'] as const;

/**
 * Options of a subscription to an event, or to a pattern.
 *
 * @param subject whose options they are, for messages
 * @param delivery that of the event; undefined for a pattern
 * @throws PubSubConfigurationError with every problem that was found
 */
export function resolveSubscription(
  subject: string,
  delivery: Delivery | undefined,
  options: SubscribeCallOptions,
  defaults: SubscriptionDefaults,
): ResolvedSubscription {
  const isGroup = delivery === 'durable' && options?.delivery === undefined;
  if (isGroup) return { kind: 'group', options: resolveGroup(subject, options, defaults) };
  return { kind: 'listener', options: resolveListener(subject, delivery, options, defaults) };
}

/**
 * Options of a subscription whose events are handled by one replica each.
 *
 * @throws PubSubConfigurationError with every problem that was found, one of them each option that is not for a group
 */
export function resolveGroup(
  subject: string,
  options: SubscribeCallOptions,
  defaults: SubscriptionDefaults,
): ResolvedGroupOptions {
  const problems = new Problems();
  const settings = read(options, SUBSCRIBE_TREE, problems);
  for (const option of LISTENER_ONLY) {
    if (settings.has(option))
      problems.add(option, 'is not for a group: its events wait in Redis, and reach one replica each');
  }
  if (!settings.has('group'))
    problems.add('group', "is missing: a durable event is handled by a group, or with delivery: 'broadcast'");
  const resolved: ResolvedGroupOptions = {
    ...readHandler(subject, settings, defaults),
    group: settings.converted('group', asGroup, GROUP_EXPECTED) ?? '',
    ...readGroup(settings, problems, defaults),
    from: settings.converted('from', asStreamId, FROM_EXPECTED) ?? '0',
  };
  problems.throwAs((found) => new PubSubConfigurationError(subject, found));
  return resolved;
}

/**
 * @param delivery that of the event; undefined for a pattern
 * @throws PubSubConfigurationError with every problem that was found
 */
export function resolveStream(
  subject: string,
  delivery: Delivery | undefined,
  options: StreamOptions,
  defaults: SubscriptionDefaults,
): ResolvedStreamOptions {
  const problems = new Problems();
  const resolved = readListener(read(options, STREAM_TREE, problems), problems, delivery, defaults);
  problems.throwAs((found) => new PubSubConfigurationError(subject, found));
  return resolved;
}

function resolveListener(
  subject: string,
  delivery: Delivery | undefined,
  options: SubscribeCallOptions,
  defaults: SubscriptionDefaults,
): ResolvedListenerOptions {
  const problems = new Problems();
  const settings = read(options, SUBSCRIBE_TREE, problems);
  const what = delivery === undefined ? 'a pattern' : `a ${delivery} event`;
  const reason =
    delivery === 'durable'
      ? "is for a group, and with delivery: 'broadcast' every replica handles the event"
      : `is for a group of a durable event, and this is ${what}`;
  for (const option of GROUP_ONLY) if (settings.has(option)) problems.add(option, reason);
  if (delivery !== 'durable' && settings.has('delivery'))
    problems.add('delivery', `is for durable events, and this is ${what}`);
  settings.choice('delivery', ['broadcast']);
  const resolved = {
    ...readHandler(subject, settings, defaults),
    ...readListener(settings, problems, delivery, defaults),
  };
  problems.throwAs((found) => new PubSubConfigurationError(subject, found));
  return resolved;
}

function read(options: unknown, tree: OptionTree, problems: Problems): Settings {
  const settings = new Settings(flattenOptions(options, tree, problems), problems);
  settings.signal('signal');
  return settings;
}

function readHandler(subject: string, settings: Settings, defaults: SubscriptionDefaults) {
  return {
    name: settings.text('name') ?? subject,
    concurrency: readConcurrency(settings, defaults),
    timeout: settings.duration('timeout') ?? defaults.timeout,
  };
}

function readListener(
  settings: Settings,
  problems: Problems,
  delivery: Delivery | undefined,
  defaults: SubscriptionDefaults,
): ResolvedStreamOptions {
  const buffer =
    delivery === 'local' ? readLocalBuffer(settings, problems, defaults) : readBuffer(settings, defaults);
  const skipOwn = settings.boolean('skipOwn') ?? false;
  if (skipOwn && delivery === 'local')
    problems.add('skipOwn', 'would leave out all: a local event comes from this very process');
  return { ...buffer, skipOwn, onGap: settings.converted('onGap', asGapHandler, 'a function') };
}

function asGroup(value: unknown): string | undefined {
  return typeof value === 'string' && GROUP_NAME.test(value) ? value : undefined;
}

function asGapHandler(value: unknown): ((gap: EventGap) => unknown) | undefined {
  return typeof value === 'function' ? (value as (gap: EventGap) => unknown) : undefined;
}
