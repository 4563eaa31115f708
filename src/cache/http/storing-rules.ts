import type { OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';
import { parseCacheControl } from './cache-control.js';
import type { HandlerPlan } from './handler-plan.js';
import type { StoredHeaders } from './stored-response.js';
import { varyNames } from './vary.js';

/** A response on the point of being sent. */
export interface OutgoingResponse {
  readonly status: number;
  /** The status when the handler had returned: with an error, a filter has set another one since. */
  readonly handlerStatus: number | undefined;
  readonly headers: OutgoingHttpHeaders;
  /** The headers before the handler ran: what middleware and `@Header` have set is set for each request anew. */
  readonly before: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** What of a response is stored, and for how long: in milliseconds, undefined where the handler does not say. */
export interface Storable {
  readonly headers: StoredHeaders;
  readonly vary: readonly string[];
  readonly ttl: number | undefined;
  readonly staleFor: number | undefined;
}

/**
 * Statuses that may be stored without being asked for (RFC 9110, 15.1), save 204, which has nothing to be stored, 206, which is a part only,
 * and 405, 414, 501, which tell of the request.
 */
const STORABLE_STATUSES = new Set([200, 203, 300, 301, 308, 404, 410]);

/** `Date.parse` takes much else for a date. */
const HTTP_DATE = /^[A-Z][a-z]+, .+ GMT$/;

/** Headers that belong to a connection or to one sending, or that the cache makes itself. */
const NEVER_STORED = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'date',
  'age',
  'etag',
  'vary',
  'x-cache',
]);

/** What of the response may be stored, or undefined if it may not. */
export function whatToStore(response: OutgoingResponse, plan: HandlerPlan): Storable | undefined {
  const { status, handlerStatus, headers, before, body } = response;
  if (!STORABLE_STATUSES.has(status) || body.length > plan.maxBodySize) return undefined;
  if (status >= 400 && status !== handlerStatus) return undefined;
  if (headers['set-cookie'] !== undefined || !isShareableCrossOrigin(headers, before, plan)) return undefined;
  const vary = ownVary(headers, before);
  if (!vary.every((name) => isKeyed(name, plan))) return undefined;
  if (headers['content-encoding'] !== undefined && !isKeyed('accept-encoding', plan)) return undefined;
  const freshness = ownFreshness(headers, plan);
  return freshness && { ...freshness, vary, headers: ownHeaders(headers, before) };
}

/** Headers as they were sent, after all that middleware and hooks have added. */
export interface SentHeaders {
  readonly cookie: OutgoingHttpHeader | undefined;
  readonly cacheControl: OutgoingHttpHeader | undefined;
}

/** Whether what came later than the body forbids to store the response after all. */
export function isForbidden({ cookie, cacheControl = '' }: SentHeaders, plan: HandlerPlan): boolean {
  const { noStore, isPrivate } = parseCacheControl(String(cacheControl));
  return cookie !== undefined || noStore || (isPrivate && !plan.isPrivate);
}

/**
 * The header names in `Vary` that the handler answers for. What a CORS or compressing middleware does about `Origin` and `Accept-Encoding`, it
 * does for each request; whatever else was named before the handler may have come to its ears.
 */
function ownVary(headers: OutgoingHttpHeaders, before: OutgoingHttpHeaders): string[] {
  const ofMiddleware = new Set(varyNames(before['vary']));
  const isLive = (name: string): boolean =>
    ofMiddleware.has(name) && (name === 'origin' || name === 'accept-encoding');
  return varyNames(headers['vary']).filter((name) => !isLive(name));
}

/** Whether requests with other values of the header never get this response. Who asks is in the key, or is nobody. */
function isKeyed(name: string, plan: HandlerPlan): boolean {
  if (plan.vary.includes(name)) return true;
  return !plan.ignoresCredentials && (name === 'authorization' || name === 'cookie');
}

/** A handler that allows the origin which asked allows no other. */
function isShareableCrossOrigin(
  headers: OutgoingHttpHeaders,
  before: OutgoingHttpHeaders,
  plan: HandlerPlan,
): boolean {
  const name = 'access-control-allow-origin';
  return headers[name] === before[name] || headers[name] === '*' || plan.vary.includes('origin');
}

/** `Expires` counts where there is no `max-age` (RFC 9111, 5.3). */
function ownFreshness(
  { 'cache-control': header = '', expires }: OutgoingHttpHeaders,
  plan: HandlerPlan,
): Pick<Storable, 'ttl' | 'staleFor'> | undefined {
  const control = parseCacheControl(header);
  // To ask the handler each time, as `no-cache` demands, is to have no cache.
  const { noStore, noCache, isPrivate } = control;
  if (noStore || noCache || (isPrivate && !plan.isPrivate)) return undefined;
  const maxAge = plan.isPrivate ? control.maxAge : (control.sharedMaxAge ?? control.maxAge);
  const ttl = maxAge === undefined && expires !== undefined ? timeUntil(expires) : toMilliseconds(maxAge);
  if (ttl !== undefined && ttl <= 0) return undefined;
  return { ttl, staleFor: toMilliseconds(control.staleFor) };
}

/** Milliseconds; what is no date, such as 0, is over (RFC 9111, 5.3). */
function timeUntil(expires: OutgoingHttpHeader): number {
  const text = String(expires);
  return HTTP_DATE.test(text) ? Date.parse(text) - Date.now() || 0 : 0;
}

function toMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function ownHeaders(headers: OutgoingHttpHeaders, before: OutgoingHttpHeaders): StoredHeaders {
  const own: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || NEVER_STORED.has(name) || isSame(value, before[name])) continue;
    own[name] = Array.isArray(value) ? value.map(String) : String(value);
  }
  return own;
}

function isSame(value: OutgoingHttpHeader, before: OutgoingHttpHeader | undefined): boolean {
  return before !== undefined && String(value) === String(before);
}
