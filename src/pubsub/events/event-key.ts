import { EventInvalidError } from '../pubsub-errors.js';
import type { EventType } from './event-type.js';

/** What a key is, for messages. */
export const KEY_EXPECTED = 'a text with at least one letter, or a finite number';

/** A key as it is sent; undefined for what is none. */
export function asKey(key: unknown): string | undefined {
  if (typeof key === 'string') return key === '' ? undefined : key;
  return typeof key === 'number' && Number.isFinite(key) ? String(key) : undefined;
}

/**
 * What an event is about, as its class or topic says.
 *
 * @throws EventInvalidError for what is no key; whatever the function of the class throws
 */
export function keyOf(type: EventType, event: unknown): string | undefined {
  const key: unknown = type.key?.(event as never);
  if (key === undefined) return undefined;
  const text = asKey(key);
  if (text !== undefined) return text;
  throw new EventInvalidError(type.topic, [{ property: '', message: `its key is not ${KEY_EXPECTED}` }]);
}
