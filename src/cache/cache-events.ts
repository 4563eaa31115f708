import { eventChannels } from '../channels/event-channels.js';

/** What is published on `diagnostics_channel`, each kind of event on a channel of its own: `rednest:cache:hit` and so on. */
export interface CacheEvents {
  /** A value was found fresh. */
  hit: CacheKeyEvent & { tier: 'local' | 'redis' };
  miss: CacheKeyEvent;
  /** A value was served that is fresh no longer, or not known to be. */
  stale: CacheKeyEvent;
  /** A value is made again in the background. */
  refresh: CacheKeyEvent;
  /** A run of a factory has ended, after so many milliseconds. */
  factory: CacheKeyEvent & { took: number; failed: boolean };
  /** Keys were read from Redis, for all caches together: so many, in so many milliseconds. Not told of while Redis counts as away. */
  read: CacheBackendEvent & { keys: number; took: number; answered: boolean };
  store: CacheKeyEvent & { bytes: number };
  /** An entry left the local tier to make room. */
  evict: CacheKeyEvent;
  invalidate: CacheEvent & { keys?: readonly string[]; tags?: readonly string[]; everything?: true };
  /** Something failed, and the cache did without. */
  error: CacheEvent & { operation: string; error: unknown; key?: string };
  'coherence-lost': CacheBackendEvent;
  'coherence-regained': CacheBackendEvent;
}

/** What concerns all caches of a namespace. */
export interface CacheBackendEvent {
  /** Tells apart applications of one process; see `RedisConnection.id`. Undefined where there is no Redis. */
  connectionId: string | undefined;
  namespace: string;
}

export interface CacheEvent extends CacheBackendEvent {
  /** Name of the cache. */
  cache: string;
}

export interface CacheKeyEvent extends CacheEvent {
  key: string;
}

/** Name of the `node:diagnostics_channel` for a kind of event. */
export function cacheChannel(event: keyof CacheEvents): string {
  return `rednest:cache:${event}`;
}

/** The channels. Ask for `hasSubscribers` first where an event is frequent: it is then free when nobody listens. */
export const cacheChannels = eventChannels(cacheChannel, [
  'hit',
  'miss',
  'stale',
  'refresh',
  'factory',
  'read',
  'store',
  'evict',
  'invalidate',
  'error',
  'coherence-lost',
  'coherence-regained',
]);
