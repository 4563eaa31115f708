import { parseDuration } from '../../redis/index.js';
import { parseByteSize } from '../../redis/shared.js';
import { mergeVary } from './vary.js';
import type { HttpCacheOptions } from './http-cache-options.js';

type TakenOver<Request> = Pick<
  HttpCacheOptions<Request>,
  'key' | 'user' | 'refresh' | 'tags' | 'cache' | 'cacheControl'
>;

/** {@link HttpCacheOptions} with defaults. Durations are milliseconds, sizes bytes. */
export interface ResolvedHttpCacheOptions<Request> extends TakenOver<Request> {
  readonly ttl: number;
  readonly stale: number;
  readonly maxBodySize: number;
  readonly waitTimeout: number;
  readonly query: ReadonlySet<string> | undefined;
  /** In lower case. */
  readonly vary: readonly string[];
  /** What is put into `Vary`: the same, and the headers that decide whether a request is handled without the cache. */
  readonly sentVary: readonly string[];
  /** The same as a header; undefined for none. */
  readonly sentVaryText: string | undefined;
  readonly isPrivate: boolean;
  readonly ignoresCredentials: boolean;
}

/** @param options what has been checked, of a handler and its controller together */
export function resolveHttpCacheOptions<Request>(
  options: HttpCacheOptions<Request>,
): ResolvedHttpCacheOptions<Request> {
  const {
    ttl = '1m',
    stale = 0,
    maxBodySize = '1mb',
    waitTimeout = '5s',
    query,
    vary = [],
    credentials,
  } = options;
  const names = vary.map((name) => name.toLowerCase());
  const unnamed = ['Authorization', 'Cookie'].filter((name) => !names.includes(name.toLowerCase()));
  const sentVary = credentials === 'ignore' ? vary : [...vary, ...unnamed];
  return {
    ...options,
    ttl: parseDuration(ttl, 'ttl'),
    stale: parseDuration(stale, 'stale'),
    maxBodySize: parseByteSize(maxBodySize, 'maxBodySize'),
    waitTimeout: parseDuration(waitTimeout, 'waitTimeout'),
    query: query && new Set(query),
    vary: names,
    sentVary,
    sentVaryText: mergeVary(undefined, sentVary),
    isPrivate: options.scope === 'user',
    ignoresCredentials: credentials === 'ignore',
  };
}
