import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { key } from '../../redis/index.js';
import { checkedKeyPart } from './checked-key-part.js';
import { CREDENTIAL_HEADERS, hasUser } from './credentials.js';
import type { HandlerPlan } from './handler-plan.js';
import type { HttpRequest } from './http-exchange.js';
import { matchedRoute } from './matched-route.js';
import { normaliseQuery } from './query.js';
import { UNCACHEABLE_HEADERS } from './request-rules.js';

/** Characters of a key at most; a longer one is replaced by its hash. */
const LONGEST_KEY = 512;

/**
 * Headers by which frameworks and applications learn of host, scheme, path and method beside the request line. They are part of every
 * key: otherwise whoever sends one, past a proxy that does not remove it, chooses what all others are answered (cache poisoning).
 */
const ALWAYS_KEYED = [
  'forwarded',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-scheme',
  'x-forwarded-ssl',
  'x-forwarded-path',
  'x-host',
  'x-original-host',
  'x-original-url',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
] as const;

/**
 * The key of a request's response, or undefined where it has none: the scope is `'user'` and nobody is known.
 *
 * Host, path and query are readable, and escaped so that they stay in their place. What may be secret, the user and the values of headers, is
 * there as a hash.
 *
 * @throws TypeError where the option `user` or `key` returns what is no text or number; what these functions throw
 */
export function requestKey(request: HttpRequest, plan: HandlerPlan): string | undefined {
  const user = plan.isPrivate ? userOf(request, plan) : undefined;
  if (plan.isPrivate && user === undefined) return undefined;
  const place = plan.key
    ? `${plan.keyPrefix}${placeByKey(request, plan, plan.key)}`
    : knownPlaceOf(request, plan);
  const variant = variantOf(request.headers, plan.vary, user);
  // The text that was kept is the key as it is: a new one would have to be hashed wherever it is looked up.
  const whole = variant === '' ? place : `${place}${variant}`;
  // Two empty segments are there in no other key: a hash may be what somebody else's `key` returns.
  return whole.length <= LONGEST_KEY ? whole : `${plan.keyPrefix}::${digest(whole)}`;
}

function userOf(request: HttpRequest, { subject, user }: HandlerPlan): string | undefined {
  const returned: unknown = user?.(request);
  if (returned === undefined || returned === null) return undefined;
  return checkedKeyPart(subject, 'user', returned);
}

/** Host and path do not stand in it: what tells routes apart has to. */
function placeByKey(
  request: HttpRequest,
  { subject, hostPattern }: HandlerPlan,
  ownKey: (request: HttpRequest) => unknown,
): string {
  const own = checkedKeyPart(subject, 'key', ownKey(request));
  return key`${`${hostPattern}${matchedRoute(request)}`}:${own}`;
}

/**
 * The key of a request none of whose headers says which response it is to get, as those of most do not: the same as {@link requestKey} gives,
 * by one look at the headers that there are. Undefined where it takes more than that.
 */
export function plainKey(request: HttpRequest, plan: HandlerPlan): string | undefined {
  if (plan.isPrivate || plan.key || hasUser(request)) return undefined;
  for (const name in request.headers) if (plan.tellingHeaders.has(name)) return undefined;
  const whole = knownPlaceOf(request, plan);
  return whole.length <= LONGEST_KEY ? whole : undefined;
}

/** The headers that a request's key, or whether it has one, depends on. */
export function tellingHeaders(vary: readonly string[]): ReadonlySet<string> {
  return new Set([...ALWAYS_KEYED, ...CREDENTIAL_HEADERS, ...UNCACHEABLE_HEADERS, ...vary]);
}

function knownPlaceOf(request: HttpRequest, plan: HandlerPlan): string {
  const target = request.originalUrl ?? request.url;
  const { headers } = request;
  return plan.knownKeys.get(hostOf(headers), target, () => placeOf(target, headers, plan));
}

/** The target as it was sent: decoded, `/a%2Fb` would be the same as `/a/b`. */
function placeOf(target: string, headers: IncomingHttpHeaders, plan: HandlerPlan): string {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : normaliseQuery(target.slice(mark + 1), plan.query);
  return `${plan.keyPrefix}${key`${hostOf(headers).toLowerCase()}:${query === '' ? path : `${path}?${query}`}`}`;
}

function hostOf(headers: IncomingHttpHeaders): string {
  const host = headers.host ?? headers[':authority'];
  return typeof host === 'string' ? host : '';
}

function variantOf(headers: IncomingHttpHeaders, vary: readonly string[], user: string | undefined): string {
  const values: (string | readonly (string | string[] | undefined)[])[] = [];
  for (const name of ALWAYS_KEYED) if (headers[name] !== undefined) values.push([name, headers[name]]);
  for (const name of vary) if (headers[name] !== undefined) values.push([name, headers[name]]);
  if (user !== undefined) values.push(user);
  return values.length === 0 ? '' : `:${digest(JSON.stringify(values))}`;
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 32);
}
