import { Inject, type Type } from '@nestjs/common';
import { standIn } from '../../decorators/decorate-method.js';
import type { CacheService } from '../cache.service.js';
import { getCacheToken } from '../cache.tokens.js';
import { exchangeOf, type AnyResponse } from './exchange-of.js';
import type { HandlerPlan } from './handler-plan.js';
import { HttpCacheInterceptor } from './http-cache.interceptor.js';
import type { HttpExchange, HttpRequest } from './http-exchange.js';
import { hasPlainParameters } from './plain-parameters.js';
import { responderOf, type Responder } from './responder.js';
import { addExchange, keepApart, routeArguments, type AddedExchange } from './route-arguments.js';

/** Nest's metadata of a handler; the first is there on routes only. */
const ROUTE_PATH = 'path';
const INTERCEPTORS = '__interceptors__';

/** Metadata of handlers that are called by other transports as well, whose arguments Nest finds in the same place. */
const OTHER_TRANSPORTS = /^(?:microservices|websockets|graphql):|^message$/;

type Method = (this: unknown, ...args: unknown[]) => unknown;

interface Handler {
  readonly prototype: object;
  readonly name: string | symbol;
  /** What has taken its place, and asks the cache. */
  readonly wrapper: Method;
}

/** That a wrapper stands in the place of the interceptor. */
interface Place {
  /** How many arguments the handler has, before response and request. */
  readonly own: number;
  readonly added: AddedExchange;
}

/** What a wrapper needs to answer, on an instance that Nest has built. */
interface Answering {
  readonly responder: Responder;
  readonly plan: HandlerPlan;
  readonly own: number;
}

/**
 * Lets a handler that has {@link HttpCacheInterceptor} do without it: its method asks the cache itself, where that comes to the same. What
 * Nest does for a handler with an interceptor, whatever that is, takes longer on Fastify than all else about a hit.
 *
 * It comes to the same where nothing of the application's would run between interceptor and handler: no interceptor that stands within it, no
 * pipe that may do much, no other decorator's wrapper. Guards, and interceptors around it, run for a hit as ever. What is on a class is
 * known when it is complete: when Nest first builds it, and has made no routes of it. Where anything is unusual, the interceptor stays.
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
    const self = this as Record<string | symbol, unknown> | undefined;
    const answering = self?.[property] as Answering | undefined;
    // Whatever stands in front of it now would make of the response what is for one request only.
    const exchange = answering && self?.[name] === wrapper ? exchangeIn(args, answering.own) : undefined;
    // A test, a subclass or the application itself calls the method.
    if (!answering || !exchange) return Reflect.apply(method, this, args);
    const { responder, plan, own } = answering;
    return responder.answer(exchange, plan, () => Reflect.apply(method, this, args.slice(0, own)));
  });
  descriptor.value = wrapper;
  let taken: { readonly place: Place | undefined } | undefined;
  onInjection(prototype, property, cache, (instance, service) => {
    if ((instance as Record<string | symbol, unknown>)[name] !== wrapper) {
      const owner = ownerOf(instance, name);
      if (owner !== prototype.constructor) keepApart(owner, name, taken?.place?.added);
      return undefined;
    }
    const responder = responderOf(service);
    const plan = responder.plans.of(instance.constructor as Type, wrapper);
    if (!plan) return undefined;
    const { place } = (taken ??= { place: takePlace({ prototype, name, wrapper }) });
    return place && { responder, plan, own: place.own };
  });
}

/** The class that says what an instance has by a name: for what only the instance has, its own. */
function ownerOf(instance: object, name: string | symbol): object {
  let object: object | null = Object.hasOwn(instance, name) ? null : instance;
  while (object && !Object.hasOwn(object, name)) object = Object.getPrototypeOf(object) as object | null;
  return (object ?? instance).constructor;
}

/** The exchange that Nest, and nobody else, gives a handler after its own arguments. */
function exchangeIn(args: readonly unknown[], own: number): HttpExchange | undefined {
  if (args.length !== own + 2) return undefined;
  const [response, request] = args.slice(own);
  if (!isObject(request) || !isObject(response)) return undefined;
  return exchangeOf(request as HttpRequest, response as AnyResponse);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
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
      if (!Object.isExtensible(this)) return;
      const value = make(this, service);
      Object.defineProperty(this, property, { value, configurable: true, writable: true });
    },
  });
  Inject(getCacheToken(cache))(prototype, property);
}

/** Puts a wrapper in the place of the interceptor, with response and request as two more arguments; undefined where the interceptor has to stay. */
function takePlace({ prototype, name, wrapper }: Handler): Place | undefined {
  if (!isPlainRoute(wrapper)) return undefined;
  const isOutermost = Object.getOwnPropertyDescriptor(prototype, name)?.value === wrapper;
  const listed = (Reflect.getMetadata(INTERCEPTORS, wrapper) ?? []) as unknown[];
  // Those that come later in the list stand within it.
  const isInnermost = listed.length > 0 && listed.indexOf(HttpCacheInterceptor) === listed.length - 1;
  if (!isOutermost || !isInnermost || !hasPlainParameters(prototype, name)) return undefined;
  Reflect.defineMetadata(INTERCEPTORS, listed.slice(0, -1), wrapper);
  const own = routeArguments(prototype.constructor, name).length;
  return { own, added: addExchange(prototype, name, own) };
}

function isPlainRoute(wrapper: Method): boolean {
  const keys = Reflect.getMetadataKeys(wrapper) as unknown[];
  return keys.includes(ROUTE_PATH) && !keys.some((key) => OTHER_TRANSPORTS.test(String(key)));
}
