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

export function markCacheStatus(exchange: HttpExchange, status: CacheStatus): void {
  exchange.setHeader('X-Cache', status);
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
  const live = exchange.header('Vary');
  const isUsual = live === undefined && vary.length === 0;
  const merged = isUsual ? plan.sentVaryText : mergeVary(live, [...plan.sentVary, ...vary]);
  if (merged !== undefined) exchange.setHeader('Vary', merged);
  if (plan.cacheControl === false || exchange.header('Cache-Control') !== undefined) return;
  const cacheControl = cacheControlOf(exchange, plan, freshness);
  exchange.setHeader('Cache-Control', cacheControl);
  keepCookiesPrivate(exchange.raw, cacheControl);
}

function cacheControlOf(exchange: HttpExchange, plan: HandlerPlan, { lifetime }: Freshness): string {
  // A cookie that middleware sets is for this client: no proxy may keep the response with it.
  const hasCookie = exchange.header('Set-Cookie') !== undefined;
  const scope = plan.isPrivate || hasCookie ? 'private, ' : '';
  if (plan.cacheControl === 'revalidate') return `${scope}no-cache`;
  const maxAge = Math.floor(lifetime / 1000);
  const stale = lifetime > 0 ? Math.floor(plan.stale / 1000) : 0;
  return `${scope}max-age=${maxAge}${stale > 0 ? `, stale-while-revalidate=${stale}` : ''}`;
}
