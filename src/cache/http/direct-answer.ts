import { Inject, Req, Res, type Type } from '@nestjs/common';
import { standIn } from '../../decorators/decorate-method.js';
import type { CacheService } from '../cache.service.js';
import { getCacheToken } from '../cache.tokens.js';
import { exchangeOf, type AnyResponse } from './exchange-of.js';
import type { HandlerPlan } from './handler-plan.js';
import { HttpCacheInterceptor } from './http-cache.interceptor.js';
import type { HttpRequest } from './http-exchange.js';
import { hasPlainParameters } from './plain-parameters.js';
import { responderOf, type Responder } from './responder.js';
import { answersItself, routeArguments } from './route-arguments.js';

/** Nest's metadata of a handler; the first is there on routes only. */
const ROUTE_PATH = 'path';
const INTERCEPTORS = '__interceptors__';

type Method = (this: unknown, ...args: unknown[]) => unknown;

interface Handler {
  readonly prototype: object;
  readonly name: string | symbol;
  /** As it was written. */
  readonly method: Method;
  /** What has taken its place, and asks the cache. */
  readonly wrapper: Method;
}

/** What a wrapper needs to answer, on an instance that Nest has built. */
interface Answering {
  readonly responder: Responder;
  readonly plan: HandlerPlan;
  /** How many arguments the handler has, before request and response. */
  readonly own: number;
}

/**
 * Lets a handler that has {@link HttpCacheInterceptor} do without it: its method asks the cache itself, where that comes to the same. What
 * Nest does for a handler with an interceptor, whatever that is, takes longer on Fastify than all else about a hit.
 *
 * It comes to the same where nothing of the application's would run between interceptor and handler: no interceptor that stands within it, no
 * pipe that may do much, no other decorator's wrapper. Guards, and interceptors around it, run for a hit as ever. What is on a class is
 * known when it is complete: when Nest first builds it, and has made no routes of it.
 */
export function answerDirectly(
  prototype: object,
  name: string | symbol,
  descriptor: PropertyDescriptor,
  cache: string | undefined,
): void {
  const method = descriptor.value as Method;
  const property = Symbol(`@HttpCache on ${String(name)}`);
  const wrapper = standIn(method, function (this: unknown, ...args: unknown[]): unknown {
    const answering = (this as Record<symbol, Answering | undefined> | undefined)?.[property];
    // A test or the application itself calls the method without request and response.
    if (!answering || args.length < answering.own + 2) return Reflect.apply(method, this, args);
    const { responder, plan, own } = answering;
    const run = (): unknown => Reflect.apply(method, this, args.slice(0, own));
    const exchange = exchangeOf(args[own] as HttpRequest, args[own + 1] as AnyResponse | null);
    return exchange ? responder.answer(exchange, plan, run) : run();
  });
  descriptor.value = wrapper;
  let taken: { readonly own: number | undefined } | undefined;
  onInjection(prototype, property, cache, (instance, service) => {
    const { own } = (taken ??= { own: takePlace({ prototype, name, method, wrapper }) });
    const responder = responderOf(service);
    const plan = own === undefined ? undefined : responder.plans.of(instance.constructor as Type, wrapper);
    return plan && { responder, plan, own: own! };
  });
}

/** Has Nest inject the cache into each instance, which keeps what is made of it. */
function onInjection(
  prototype: object,
  property: symbol,
  cache: string | undefined,
  make: (instance: object, service: CacheService) => Answering | undefined,
): void {
  Object.defineProperty(prototype, property, {
    get: () => undefined,
    set(this: object, service: CacheService) {
      const value = make(this, service);
      Object.defineProperty(this, property, { value, configurable: true, writable: true });
    },
  });
  Inject(getCacheToken(cache))(prototype, property);
}

/**
 * Puts a wrapper in the place of the interceptor, with request and response as two more arguments.
 *
 * @returns how many arguments the handler has before them; undefined where the interceptor has to stay
 */
function takePlace({ prototype, name, method, wrapper }: Handler): number | undefined {
  if (!Reflect.hasMetadata(ROUTE_PATH, wrapper)) return undefined;
  const isOutermost = Object.getOwnPropertyDescriptor(prototype, name)?.value === wrapper;
  const listed = (Reflect.getMetadata(INTERCEPTORS, wrapper) ?? []) as unknown[];
  // Those that come later in the list stand within it.
  const isInnermost = listed.length > 0 && listed.indexOf(HttpCacheInterceptor) === listed.length - 1;
  if (!isOutermost || !isInnermost || !hasPlainParameters(prototype, name, method)) return undefined;
  Reflect.defineMetadata(INTERCEPTORS, listed.slice(0, -1), wrapper);
  const controller = prototype.constructor;
  const indices = routeArguments(controller, name).map(({ index }) => index);
  const own = Math.max(method.length - 1, ...indices) + 1;
  // Nest goes on to answer, unless the handler itself takes the response to do so.
  const options = answersItself(controller, name) ? undefined : { passthrough: true };
  Req()(prototype, name, own);
  Res(options)(prototype, name, own + 1);
  return own;
}
