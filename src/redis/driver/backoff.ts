import type { ResolvedRedisOptions } from '../options/resolved-options.js';

const JITTER = 0.2;

/**
 * The pause before attempt `times` to connect again: exponential up to `reconnect.maxDelay`, less up to a fifth at random so that the
 * replicas of an application do not come back all at once.
 */
export function reconnectDelay(
  times: number,
  { reconnect }: Pick<ResolvedRedisOptions, 'reconnect'>,
): number {
  const delay = Math.min(reconnect.maxDelay, reconnect.initialDelay * 2 ** Math.min(times - 1, 30));
  return Math.round(delay * (1 - JITTER * Math.random()));
}
