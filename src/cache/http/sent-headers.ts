import type { HandlerPlan } from './handler-plan.js';
import type { HttpExchange } from './http-exchange.js';
import { keepCookiesPrivate } from './late-cookie.js';
import { mergeVary } from './vary.js';

/** Where a response came from, as `X-Cache` tells. */
export type CacheStatus = 'HIT' | 'MISS' | 'STALE' | 'BYPASS';

/** The ages of a response, in milliseconds. */
export interface Freshness {
  readonly age: number;
  /** How long it is fresh in all, from its making on; 0 where it is not any more. */
  readonly lifetime: number;
}

/** Milliseconds by which a lifetime may seem shorter, since the server's time is an estimate that gets better: not a whole second less. */
const CLOCK_ERROR = 50;

export function markCacheStatus(exchange: HttpExchange, status: CacheStatus): void {
  exchange.setHeader('x-cache', status);
}

/**
 * Sets `Vary`, and `Cache-Control` where there is none. `max-age` is the whole lifetime: clients subtract `Age` from it themselves (RFC
 * 9111, 4.2), so that what is left is what is left here.
 */
export function describeCaching(
  exchange: HttpExchange,
  plan: HandlerPlan,
  freshness: Freshness,
  vary: readonly string[] = [],
): void {
  const live = exchange.header('vary');
  const isUsual = live === undefined && vary.length === 0;
  const merged = isUsual ? plan.sentVaryText : mergeVary(live, [...plan.sentVary, ...vary]);
  if (merged !== undefined) exchange.setHeader('vary', merged);
  if (plan.cacheControl === false || exchange.header('cache-control') !== undefined) return;
  const cacheControl = cacheControlOf(plan, freshness);
  exchange.setHeader('cache-control', cacheControl);
  keepCookiesPrivate(exchange, cacheControl);
}

function cacheControlOf(plan: HandlerPlan, { lifetime }: Freshness): string {
  const scope = plan.isPrivate ? 'private, ' : '';
  if (plan.cacheControl === 'revalidate') return `${scope}no-cache`;
  const maxAge = Math.floor((lifetime + CLOCK_ERROR) / 1000);
  const stale = lifetime > 0 ? Math.floor(plan.stale / 1000) : 0;
  return `${scope}max-age=${maxAge}${stale > 0 ? `, stale-while-revalidate=${stale}` : ''}`;
}
