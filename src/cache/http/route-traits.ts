import type { ExecutionContext, Type } from '@nestjs/common';
import { key } from '../../redis/index.js';
import type { ReplyWay } from './http-exchange.js';
import { answersItself } from './route-arguments.js';

/** Nest's own metadata keys; the packages export them for each other only, and not from the same place in 11 and 12. */
const VERSION = '__version__';
const REDIRECT = '__redirect__';
const SSE = '__sse__';
const RENDER = '__renderTemplate__';
const HOST = 'host';

type Handler = ReturnType<ExecutionContext['getHandler']>;

/** What Nest knows of a route. */
export interface RouteTraits {
  /** How errors name it: `@HttpCache on Cities.findOne`. */
  readonly subject: string;
  /** Class, method and version: handlers that answer the same URL, told apart by a version header for instance, have no keys in common. */
  readonly id: string;
  /** What `@Controller({ host })` says. */
  readonly hostPattern: string;
  /** Whether the handler answers by itself (`@Res()` without passthrough), and Nest does not. */
  readonly answersItself: boolean;
  readonly replyWay: ReplyWay;
  /** Whether Nest sends its answer by a way that leaves nothing to be stored: a redirect, server-sent events. */
  readonly isUncacheable: boolean;
}

export function routeTraits(controller: Type, handler: Handler): RouteTraits {
  const method = methodName(controller, handler);
  const version = metadata(VERSION, handler) ?? metadata(VERSION, controller);
  return {
    subject: `@HttpCache on ${controller.name}.${method}`,
    hostPattern: hostPattern(metadata(HOST, controller)),
    id: key`${controller.name}.${method}${versionText(version)}`,
    answersItself: answersItself(controller, method),
    replyWay: metadata(RENDER, handler) === undefined ? 'send' : 'render',
    isUncacheable: metadata(REDIRECT, handler) !== undefined || metadata(SSE, handler) !== undefined,
  };
}

/** The name by which the class has the function: a decorator that wraps a method may have given it another. */
function methodName(controller: Type, handler: Handler): string {
  let prototype: unknown = controller.prototype;
  while (typeof prototype === 'object' && prototype !== null) {
    const found = Object.entries(Object.getOwnPropertyDescriptors(prototype)).find(
      ([, { value }]) => value === handler,
    );
    if (found) return found[0];
    prototype = Object.getPrototypeOf(prototype);
  }
  return handler.name;
}

function hostPattern(host: unknown): string {
  if (host === undefined) return '';
  const hosts: unknown[] = Array.isArray(host) ? host : [host];
  return hosts.map(String).join(',');
}

function versionText(version: unknown): string {
  if (version === undefined) return '';
  const versions: unknown[] = Array.isArray(version) ? version : [version];
  return `@${versions.map((each) => (typeof each === 'symbol' ? 'neutral' : String(each))).join(',')}`;
}

function metadata(name: string, target: object): unknown {
  return Reflect.getMetadata(name, target) as unknown;
}
