import { isKnownToClient } from './conditional.js';
import type { HandlerPlan } from './handler-plan.js';
import type { HttpExchange } from './http-exchange.js';
import { describeCaching, markCacheStatus, type CacheStatus, type Freshness } from './sent-headers.js';
import type { StoredResponse } from './stored-response.js';

/** A stored response, and what is told of it. */
export interface Reply {
  readonly response: StoredResponse;
  readonly status: CacheStatus;
  readonly freshness: Freshness;
}

/**
 * Has a stored response sent when Nest sends its answer, so that interceptors around the cache run as always. A handler that answers by
 * itself is not going to: then it is sent at once.
 */
export function replyWith(exchange: HttpExchange, plan: HandlerPlan, reply: Reply): void {
  const replacement = exchange.replace(() => sendStored(exchange, plan, reply), plan.replyWay);
  if (plan.answersItself) replacement.run();
}

function sendStored(exchange: HttpExchange, plan: HandlerPlan, { response, status, freshness }: Reply): void {
  const { headers, etag, vary, body } = response;
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) exchange.setHeader(name, value);
  }
  exchange.setHeader('etag', etag);
  markCacheStatus(exchange, status);
  if (status === 'HIT' || status === 'STALE')
    exchange.setHeader('age', String(Math.floor(freshness.age / 1000)));
  describeCaching(exchange, plan, freshness, vary);
  const isKnown = response.status === 200 && isKnownToClient(exchange, etag);
  exchange.send(isKnown ? 304 : response.status, isKnown ? undefined : body);
}
