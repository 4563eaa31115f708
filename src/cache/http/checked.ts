import { Inject } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { checkHttpCacheOptions, checkMergedOptions } from './check-http-cache-options.js';
import { HTTP_CACHE_METADATA } from './http-cache.metadata.js';
import type { HttpCacheOptions } from './http-cache-options.js';

/** Nest's metadata of a handler. */
const ROUTE_PATH = 'path';

/**
 * Checks the options of an `@HttpCache` where it stands; and with those of the handler or the controller as soon as both are known, while
 * the class is defined or when Nest makes the controller.
 */
export function checked<Request>(options: HttpCacheOptions<Request>): ClassDecorator & MethodDecorator {
  return (target: object, name?: string | symbol) => {
    const controller = typeof target === 'function' ? target : target.constructor;
    checkHttpCacheOptions(subjectOf(controller, name), options);
    if (name === undefined) checkHandlers(controller, options);
    else if ((options.scope === 'user') !== (options.user !== undefined)) checkAtBoot(target, name, options);
  };
}

/** The decorators of handlers are evaluated before that of their class. */
function checkHandlers<Request>(
  controller: object & { name: string },
  options: HttpCacheOptions<Request>,
): void {
  const { prototype } = controller as { prototype?: object };
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype ?? {}))) {
    const handler: unknown = value;
    if (typeof handler !== 'function' || !Reflect.hasMetadata(ROUTE_PATH, handler)) continue;
    const own = optionsOn<Request>(handler);
    if (own !== false) checkMergedOptions(subjectOf(controller, name), { ...options, ...own });
  }
}

/** What a handler lacks may stand on its controller, which has no decorators yet. Nest sets the properties of an instance at boot. */
function checkAtBoot<Request>(
  prototype: object,
  name: string | symbol,
  options: HttpCacheOptions<Request>,
): void {
  const property = Symbol('@HttpCache');
  Inject(Reflector)(prototype, property);
  Object.defineProperty(prototype, property, {
    set(this: object) {
      const merged = { ...optionsOn<Request>(this.constructor), ...options };
      checkMergedOptions(subjectOf(this.constructor, name), merged);
    },
  });
}

function subjectOf(controller: { readonly name: string }, method: string | symbol | undefined): string {
  return `@HttpCache on ${controller.name}${method === undefined ? '' : `.${String(method)}`}`;
}

function optionsOn<Request>(target: object): HttpCacheOptions<Request> | false | undefined {
  return Reflect.getMetadata(HTTP_CACHE_METADATA, target) as HttpCacheOptions<Request> | false | undefined;
}
