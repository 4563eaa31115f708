import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { ConfigurationProblem } from './options/configuration-error.js';

/** A module that an application has once, though Nest would take two with different options. */
interface Root {
  readonly metatype: Type;
  /** As an application writes it: `LockModule`. */
  readonly name: string;
  /** What to do where two were meant. @default the same import everywhere */
  readonly instead?: string;
}

/** What to say where a module is in the container more than once; undefined where it is not. */
export function importedTwiceProblem(
  modules: ModulesContainer,
  { metatype, name, instead }: Root,
): ConfigurationProblem | undefined {
  const roots = [...modules.values()].filter((module) => module.metatype === metatype);
  if (roots.length === 1) return undefined;
  const remedy = instead ?? `or one and the same ${name}.forRoot(…) everywhere`;
  return { option: `${name}.forRoot`, message: `is imported twice; import it once, ${remedy}` };
}

/**
 * What to say where the connection that a module is to use is not there.
 *
 * @param module as an application writes it: `LockModule`
 */
export function connectionProblem(
  module: string,
  connection: string,
  fault: 'cannot be found' | 'is not visible here' = 'cannot be found',
): ConfigurationProblem {
  const message =
    `the Redis connection '${connection}' ${fault}: RedisModule.forRoot({ name: '${connection}' }) makes it, ` +
    `and where that has isGlobal: false, ${module}.forRoot must have it among its imports`;
  return { option: 'connection', message };
}
