import { hasCredentials } from './credentials.js';
import type { HandlerPlan } from './handler-plan.js';
import type { HttpRequest } from './http-exchange.js';

/** What {@link isCacheable} looks at, beside credentials. */
export const UNCACHEABLE_HEADERS = ['transfer-encoding', 'content-length', 'range'] as const;

/**
 * Whether a request is one to be answered from the cache, or for it. `Cache-Control` of requests is advice (RFC 9111, 5.2.1) and not heeded:
 * clients could make the handler run as often as they like.
 */
export function isCacheable(request: HttpRequest, plan: HandlerPlan): boolean {
  const { headers } = request;
  // Not part of the key: who sends a body with GET could choose what all others are answered.
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
  if (hasBody || headers.range !== undefined) return false;
  return plan.isPrivate || plan.ignoresCredentials || !hasCredentials(request, plan.vary);
}
