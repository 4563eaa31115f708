import {
  DefaultValuePipe,
  ParseBoolPipe,
  ParseEnumPipe,
  ParseFloatPipe,
  ParseIntPipe,
  ParseUUIDPipe,
  ValidationPipe,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { routeArguments, type RouteArgument } from './route-arguments.js';

/** TypeScript's metadata of methods, and Nest's of `@UsePipes`. */
const PARAMETER_TYPES = 'design:paramtypes';
const PIPES = '__pipes__';

type Pipe = Type<PipeTransform> | PipeTransform;

/** They turn text into a value, or leave it, which takes less time than an interceptor that would spare it. */
const LIGHT_PIPES: ReadonlySet<unknown> = new Set([
  DefaultValuePipe,
  ParseBoolPipe,
  ParseEnumPipe,
  ParseFloatPipe,
  ParseIntPipe,
  ParseUUIDPipe,
  ValidationPipe,
]);

/** Not classes of the application's, of which a `ValidationPipe` would make and check an instance. */
const PLAIN_TYPES: ReadonlySet<unknown> = new Set([undefined, Object, Array, String, Number, Boolean]);

/**
 * Whether nothing of the application's runs for the parameters of a handler: what finds a value in a database, for instance, is not to run for
 * a response that the cache has. And whether Nest gives it all arguments that it declares, so that there is none to be taken for another.
 */
export function hasPlainParameters(prototype: object, name: string | symbol): boolean {
  // Compilers that say nothing of types leave one in the dark about parameters with a default.
  const types = Reflect.getOwnMetadata(PARAMETER_TYPES, prototype, name) as readonly unknown[] | undefined;
  const given = routeArguments(prototype.constructor, name);
  const indices = new Set(given.map(({ index }) => index));
  if (!types || given.length !== types.length || types.some((_, index) => !indices.has(index))) return false;
  const shared = [...pipesOf(prototype.constructor), ...pipesOf(Reflect.get(prototype, name) as object)];
  return given.every((each) => isPlain({ ...each, pipes: [...shared, ...each.pipes] }, types[each.index]));
}

function pipesOf(target: object): readonly Pipe[] {
  return (Reflect.getMetadata(PIPES, target) ?? []) as readonly Pipe[];
}

function isPlain({ kind, pipes }: RouteArgument, type: unknown): boolean {
  if (kind !== 'text') return kind !== 'other';
  return PLAIN_TYPES.has(type) && pipes.every((pipe) => LIGHT_PIPES.has(classOf(pipe)));
}

function classOf(pipe: Pipe): unknown {
  return typeof pipe === 'function' ? pipe : pipe.constructor;
}
