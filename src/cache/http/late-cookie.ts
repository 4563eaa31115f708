import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

type Headers = OutgoingHttpHeaders | readonly unknown[];

/**
 * Makes the `Cache-Control` that this cache has written private where a cookie joins the response after it: session middleware sets its own at
 * the last moment, within `writeHead`. A proxy that kept the response would give everybody that cookie.
 *
 * @param cacheControl as it was written; another one is left alone
 */
export function keepCookiesPrivate(raw: ServerResponse, cacheControl: string): void {
  if (cacheControl.startsWith('private')) return;
  const setHeader = raw.setHeader.bind(raw);
  const appendHeader = raw.appendHeader.bind(raw);
  const writeHead = raw.writeHead.bind(raw) as (...rest: unknown[]) => ServerResponse;
  const onHeader = (name: string): void => {
    if (!isCookie(name) || raw.headersSent || raw.getHeader('cache-control') !== cacheControl) return;
    setHeader('cache-control', `private, ${cacheControl}`);
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
    const headers = rest.at(-1);
    if (!isHeaders(headers)) return writeHead(...rest);
    const others = withoutOwn(headers, cacheControl);
    // Fastify has its headers for itself until now. Those that are given to `writeHead` would replace what is set within it.
    if (others !== headers) setHeader('cache-control', cacheControl);
    if (raw.hasHeader('set-cookie') || namesOf(headers).some(isCookie)) onHeader('set-cookie');
    return writeHead(...rest.slice(0, -1), others);
  };
}

function isHeaders(value: unknown): value is Headers {
  return typeof value === 'object' && value !== null;
}

function withoutOwn(headers: Headers, cacheControl: string): Headers {
  if (isList(headers) || headers['cache-control'] !== cacheControl) return headers;
  const { 'cache-control': _own, ...others } = headers;
  return others;
}

function namesOf(headers: Headers): string[] {
  // Names and values in turn, or pairs of them; a value that looks like a name does no harm.
  return isList(headers) ? headers.flat().map(String) : Object.keys(headers);
}

function isList(headers: Headers): headers is readonly unknown[] {
  return Array.isArray(headers);
}

function isCookie(name: string): boolean {
  return name.toLowerCase() === 'set-cookie';
}
