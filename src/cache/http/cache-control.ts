/** What a handler's own `Cache-Control` says to this cache. Seconds. */
export interface CacheControl {
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly isPrivate: boolean;
  readonly maxAge: number | undefined;
  readonly sharedMaxAge: number | undefined;
  /** How long it may be stale: 0 where it says that it must not be. */
  readonly staleFor: number | undefined;
}

const DIRECTIVE = /([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,;"]+)))?/g;

/** Reads a `Cache-Control` header of a response (RFC 9111, 5.2.2; RFC 5861). */
export function parseCacheControl(header: string): CacheControl {
  const directives = new Map<string, string | undefined>();
  for (const [, name = '', quoted, plain] of header.matchAll(DIRECTIVE))
    directives.set(name.toLowerCase(), quoted ?? plain);
  const mustRevalidate = directives.has('must-revalidate') || directives.has('proxy-revalidate');
  return {
    noStore: directives.has('no-store'),
    noCache: directives.has('no-cache'),
    isPrivate: directives.has('private'),
    maxAge: seconds(directives, 'max-age'),
    sharedMaxAge: seconds(directives, 's-maxage'),
    staleFor: mustRevalidate ? 0 : seconds(directives, 'stale-while-revalidate'),
  };
}

/** A number that cannot be read counts as 0: not fresh (RFC 9111, 4.2.1). */
function seconds(directives: ReadonlyMap<string, string | undefined>, name: string): number | undefined {
  if (!directives.has(name)) return undefined;
  const text = directives.get(name) ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : 0;
}
