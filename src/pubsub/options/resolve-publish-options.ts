import { flattenOptions, Problems, Settings, type OptionTree } from '../../redis/shared.js';
import { asKey, KEY_EXPECTED } from '../events/event-key.js';
import { PubSubConfigurationError } from './pubsub-configuration-error.js';
import type { PublishOptions } from './pubsub-options.js';
import { asTraceparent, TRACEPARENT_EXPECTED } from './traceparent.js';

/** What was given for an event. */
export interface ResolvedPublishOptions {
  readonly id?: string;
  readonly key?: string;
  readonly traceparent?: string;
}

const NOTHING: ResolvedPublishOptions = Object.freeze({});

const TREE = { id: true, key: true, traceparent: true } as const satisfies OptionTree &
  Record<keyof PublishOptions, true>;

const ID = /^[\w.:/-]{1,128}$/;
const ID_EXPECTED = "an id of up to 128 letters, digits, '_', '-', '.', ':' and '/'";

/**
 * Options of a single event; nothing of them has a default.
 *
 * @throws PubSubConfigurationError with every problem that was found
 */
export function resolvePublishOptions(topic: string, options?: PublishOptions): ResolvedPublishOptions {
  // Most events have none.
  if (options === undefined) return NOTHING;
  const problems = new Problems();
  const settings = new Settings(flattenOptions(options, TREE, problems), problems);
  const id = settings.converted('id', asId, ID_EXPECTED);
  const key = settings.converted('key', asKey, KEY_EXPECTED);
  const traceparent = settings.converted('traceparent', asTraceparent, TRACEPARENT_EXPECTED);
  problems.throwAs((found) => new PubSubConfigurationError(`Event '${topic}'`, found));
  return {
    ...(id !== undefined && { id }),
    ...(key !== undefined && { key }),
    ...(traceparent !== undefined && { traceparent }),
  };
}

function asId(value: unknown): string | undefined {
  return typeof value === 'string' && ID.test(value) ? value : undefined;
}
