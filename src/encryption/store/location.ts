import type { Place } from '../envelope/place.js';

/** Where a value is in Redis, and what it is bound to there. */
export interface Location extends Place {
  /** The key as Redis has it. */
  readonly redisKey: string;
}

/** @param field '' for the value of a key */
export function locationOf(
  namespace: string,
  key: string,
  {
    field = '',
    context = '',
  }: { readonly field?: string; readonly context?: string | Uint8Array | undefined } = {},
): Location {
  return { namespace, key, field, context, redisKey: `${namespace}:${key}` };
}
