import type { IncomingHttpHeaders } from 'node:http';
import type { ByteSize, Duration } from '../../redis/index.js';

/**
 * What Express' and Fastify's requests have in common. Give the functions of {@link HttpCacheOptions} a parameter of another type to have
 * more of it: `(request: FastifyRequest) => …`.
 */
export interface HttpCacheRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
}

/** How the responses of a handler, or of all of a controller, are cached. */
export interface HttpCacheOptions<Request = HttpCacheRequest> {
  /** How long a response is fresh, where the handler does not say so itself by `Cache-Control: max-age` or `s-maxage`. @default '1m' */
  ttl?: Duration;
  /** How long after that it may still be sent: while one request refreshes it, and when its handler fails. @default 0 */
  stale?: Duration;
  /** Tags of the response, for `CacheService.invalidateTags`. */
  tags?: readonly string[] | ((request: Request) => readonly string[]);
  /**
   * What stands in the key in the place of host, path and query: all that the response depends on, save what `vary` and `user` name. The
   * handler, its version and route, the host of its controller, the headers of `vary` and the user are part of the key in any case.
   */
  key?: (request: Request) => string | number;
  /**
   * The query parameters that are part of the key; the handler must not read others. It keeps what is irrelevant (`utm_source`) from
   * filling the cache. @default all
   */
  query?: readonly string[];
  /**
   * Request headers that the response depends on: they are part of the key, and named in `Vary`. A response whose own `Vary` names another
   * one is not stored. @default none
   */
  vary?: readonly string[];
  /** Whether a response is for everybody, or only for the user who asked; that needs `user`. @default 'shared' */
  scope?: 'shared' | 'user';
  /** Who asks, for the scope `'user'`: never what the client may choose, such as a header that nobody has checked. Nobody: nothing is cached. */
  user?: (request: Request) => string | number | null | undefined;
  /**
   * What happens in the scope `'shared'` to a request that says who asks: by `Authorization`, `Cookie` or another header for credentials, or
   * by a `user` that a guard has put on the request. It is handled without the cache; or as all others (`'ignore'`), where the
   * response is the same for everybody who may see it. @default 'bypass'
   */
  credentials?: 'bypass' | 'ignore';
  /** Whether this request is to run the handler and replace what is stored. Clients cannot ask for that by themselves. @default never */
  refresh?: (request: Request) => boolean;
  /**
   * How long a request waits for another one that is making the response, before it runs its own handler. A handler whose client has gone
   * is waited for a second more at most. @default '5s'
   */
  waitTimeout?: Duration;
  /** Largest body that is stored; larger ones are sent all the same. @default '1mb' */
  maxBodySize?: ByteSize;
  /**
   * What clients and proxies are told, where the handler sets no `Cache-Control` itself: how long they may use the response without asking,
   * that they may keep it but must ask each time (`'revalidate'`: an invalidation reaches them at once, and 304 costs next to nothing), or
   * nothing. @default 'max-age'
   */
  cacheControl?: 'max-age' | 'revalidate' | false;
  /** Name of the cache that stores the responses. @default the default cache */
  cache?: string;
}
