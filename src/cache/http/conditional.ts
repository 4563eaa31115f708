import type { HttpExchange } from './http-exchange.js';

/** An entity tag in a list: weak or not, the opaque part in quotes. */
const ENTITY_TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/**
 * Whether the client has a response of this entity tag, whose other headers are set, already (RFC 9110, 13.1.2 and 13.1.3): `If-None-Match` by
 * weak comparison, and `If-Modified-Since` only where there is no `If-None-Match`.
 */
export function isKnownToClient(exchange: Pick<HttpExchange, 'request' | 'header'>, etag: string): boolean {
  const { headers } = exchange.request;
  const tags = headers['if-none-match'];
  if (tags !== undefined) return matches(tags, etag);
  const since = headers['if-modified-since'];
  if (since === undefined) return false;
  return Date.parse(String(exchange.header('Last-Modified'))) <= Date.parse(since);
}

function matches(tags: string, etag: string): boolean {
  if (tags === etag || tags.trim() === '*') return true;
  const opaque = withoutWeakness(etag);
  return [...tags.matchAll(ENTITY_TAG)].some(([, tag]) => tag === opaque);
}

function withoutWeakness(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag;
}
