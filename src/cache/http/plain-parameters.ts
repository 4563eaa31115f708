import {
  DefaultValuePipe,
  ParseBoolPipe,
  ParseEnumPipe,
  ParseFloatPipe,
  ParseIntPipe,
  ParseUUIDPipe,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { routeArguments, type RouteArgument } from './route-arguments.js';

/** TypeScript's metadata of methods. */
const PARAMETER_TYPES = 'design:paramtypes';

/** They turn text into a value, which takes less time than an interceptor that would spare it. */
const PARSERS: ReadonlySet<unknown> = new Set([
  DefaultValuePipe,
  ParseBoolPipe,
  ParseEnumPipe,
  ParseFloatPipe,
  ParseIntPipe,
  ParseUUIDPipe,
]);

/** Not classes of the application's, of which a `ValidationPipe` would make and check an instance. */
const PLAIN_TYPES: ReadonlySet<unknown> = new Set([undefined, Object, Array, String, Number, Boolean]);

/**
 * Whether nothing of the application's runs for the parameters of a handler: what finds a value in a database, for instance, is not to run for
 * a response that the cache has.
 *
 * @param method as it was written
 */
export function hasPlainParameters(
  prototype: object,
  name: string | symbol,
  method: { readonly length: number },
): boolean {
  const given = routeArguments(prototype.constructor, name);
  // Other transports than HTTP give arguments to parameters without a decorator.
  if (given.length < method.length) return false;
  const types = (Reflect.getMetadata(PARAMETER_TYPES, prototype, name) ?? []) as readonly unknown[];
  return given.every((each) => isPlain(each, types[each.index]));
}

function isPlain({ kind, pipes }: RouteArgument, type: unknown): boolean {
  if (kind !== 'text') return kind !== 'other';
  return PLAIN_TYPES.has(type) && pipes.every((pipe) => PARSERS.has(classOf(pipe)));
}

function classOf(pipe: Type<PipeTransform> | PipeTransform): unknown {
  return typeof pipe === 'function' ? pipe : pipe.constructor;
}
