import { ServerResponse, type OutgoingHttpHeaders } from 'node:http';
import type { HttpExchange } from './http-exchange.js';

type Headers = OutgoingHttpHeaders | readonly unknown[];
type WriteHead = (...rest: unknown[]) => ServerResponse;

// oxlint-disable-next-line typescript/unbound-method -- is called with the response as `this`
const ofNode = ServerResponse.prototype.writeHead as WriteHead;
// oxlint-disable-next-line typescript/unbound-method -- is compared only
const endOfNode = ServerResponse.prototype.end;

/**
 * Makes the `Cache-Control` that this cache has written private where a cookie joins the response: one that is there, one that hooks set until
 * the headers are written, and one that session middleware sets at the last moment, within `end` or `writeHead`. A proxy that kept the response
 * would give everybody that cookie.
 *
 * @param cacheControl as it was written; another one is left alone
 */
export function keepCookiesPrivate(
  { raw, hasHooks }: Pick<HttpExchange, 'raw' | 'hasHooks'>,
  cacheControl: string,
): void {
  if (cacheControl.startsWith('private')) return;
  // To watch what goes on within makes all that it does slow: only where anything does.
  if ((raw.writeHead as WriteHead) !== ofNode) watchWithin(raw, cacheControl);
  else if (hasHooks || raw.end !== endOfNode) watchUntil(raw, cacheControl);
  if (raw.hasHeader('set-cookie')) makePrivate(raw, cacheControl);
}

/** `writeHead` is Node's own: a cookie is there when it is called, or there is none. */
function watchUntil(raw: ServerResponse, cacheControl: string): void {
  raw.writeHead = (...rest: unknown[]) => {
    if (!raw.hasHeader('set-cookie') && !hasCookie(rest.at(-1))) return ofNode.apply(raw, rest);
    const others = withoutOwn(raw, rest, cacheControl);
    makePrivate(raw, cacheControl);
    return ofNode.apply(raw, others);
  };
}

function watchWithin(raw: ServerResponse, cacheControl: string): void {
  const setHeader = raw.setHeader.bind(raw);
  const appendHeader = raw.appendHeader.bind(raw);
  const writeHead = raw.writeHead.bind(raw) as WriteHead;
  const onHeader = (name: string): void => {
    if (isCookie(name) && !raw.headersSent) makePrivate(raw, cacheControl);
  };
  raw.setHeader = (name, value) => {
    setHeader(name, value);
    onHeader(name);
    return raw;
  };
  raw.appendHeader = (name, value) => {
    appendHeader(name, value);
    onHeader(name);
    return raw;
  };
  raw.writeHead = (...rest: unknown[]) => {
    const others = withoutOwn(raw, rest, cacheControl);
    if (raw.hasHeader('set-cookie') || hasCookie(rest.at(-1))) makePrivate(raw, cacheControl);
    return writeHead(...others);
  };
}

function makePrivate(raw: ServerResponse, cacheControl: string): void {
  if (raw.getHeader('cache-control') === cacheControl)
    raw.setHeader('cache-control', `private, ${cacheControl}`);
}

/**
 * The arguments of `writeHead`, with this cache's own header taken out and set on the response: what is given there would replace what is set
 * within. Fastify has its headers for itself until then.
 */
function withoutOwn(raw: ServerResponse, rest: unknown[], cacheControl: string): unknown[] {
  const headers = rest.at(-1);
  if (!isHeaders(headers) || isList(headers) || headers['cache-control'] !== cacheControl) return rest;
  const { 'cache-control': _own, ...others } = headers;
  raw.setHeader('cache-control', cacheControl);
  return [...rest.slice(0, -1), others];
}

function hasCookie(headers: unknown): boolean {
  if (!isHeaders(headers)) return false;
  // Names and values in turn, or pairs of them; a value that looks like a name does no harm.
  if (isList(headers)) return headers.flat().some((name) => isCookie(String(name)));
  for (const name in headers) if (isCookie(name)) return true;
  return false;
}

function isHeaders(value: unknown): value is Headers {
  return typeof value === 'object' && value !== null;
}

function isList(headers: Headers): headers is readonly unknown[] {
  return Array.isArray(headers);
}

/** This is asked of every header of every response: few names have its length. */
function isCookie(name: string): boolean {
  return name.length === 10 && name.toLowerCase() === 'set-cookie';
}
