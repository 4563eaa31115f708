import type { ExecutionContext, Type } from '@nestjs/common';
import type { GetOrSetOptions } from '../options/cache-options.js';
import { checkMergedOptions } from './check-http-cache-options.js';
import type { HttpCacheOptions } from './http-cache-options.js';
import type { HttpRequest } from './http-exchange.js';
import { KnownKeys } from './known-keys.js';
import { tellingHeaders } from './request-key.js';
import { routeTraits, type RouteTraits } from './route-traits.js';
import { resolveHttpCacheOptions, type ResolvedHttpCacheOptions } from './resolve-http-cache-options.js';
import { HTTP_CACHE_METADATA } from './http-cache.metadata.js';

/** All about a handler that is the same for each of its requests. */
export interface HandlerPlan extends ResolvedHttpCacheOptions<HttpRequest>, RouteTraits {
  /** Beginning of all keys of the handler. */
  readonly keyPrefix: string;
  readonly knownKeys: KnownKeys;
  /** Request headers, in lower case, without which the key is that of the place alone. */
  readonly tellingHeaders: ReadonlySet<string>;
  /** What the cache is told for each request, save what depends on the request. */
  readonly entryOptions: GetOrSetOptions;
}

type Handler = ReturnType<ExecutionContext['getHandler']>;
type Marked = HttpCacheOptions<HttpRequest> | false | undefined;

/** The plans of handlers, each made when it is first asked for. */
export class HandlerPlans {
  /** By class too: subclasses share the functions that they inherit. */
  readonly #plans = new WeakMap<Type, Map<Handler, HandlerPlan | undefined>>();

  /** The plan of a handler; undefined for one whose responses are not cached. */
  of(controller: Type, handler: Handler): HandlerPlan | undefined {
    let plans = this.#plans.get(controller);
    if (!plans) this.#plans.set(controller, (plans = new Map<Handler, HandlerPlan | undefined>()));
    if (!plans.has(handler)) plans.set(handler, makePlan(controller, handler));
    return plans.get(handler);
  }
}

function makePlan(controller: Type, handler: Handler): HandlerPlan | undefined {
  const ofHandler = Reflect.getMetadata(HTTP_CACHE_METADATA, handler) as Marked;
  const ofController = Reflect.getMetadata(HTTP_CACHE_METADATA, controller) as Marked;
  const marked = ofHandler ?? ofController;
  const traits = routeTraits(controller, handler);
  // Nest sends a redirect and a stream of events by ways of their own, which leave nothing to be stored.
  if (!marked || traits.isUncacheable) return undefined;
  const merged = { ...ofController, ...marked };
  checkMergedOptions(traits.subject, merged);
  const options = resolveHttpCacheOptions(merged);
  return {
    ...options,
    ...traits,
    keyPrefix: `http:${traits.id}:`,
    knownKeys: new KnownKeys(),
    tellingHeaders: tellingHeaders(options.vary),
    entryOptions: entryOptions(options),
  };
}

function entryOptions({ ttl, stale, tags }: ResolvedHttpCacheOptions<HttpRequest>): GetOrSetOptions {
  const fixed = typeof tags === 'function' ? undefined : tags;
  // A handler runs within a request only: neither before it is needed, nor for an error that is not this request's.
  return { ttl, stale, earlyRefresh: 0, errors: false, ...(fixed && { tags: fixed }) };
}
