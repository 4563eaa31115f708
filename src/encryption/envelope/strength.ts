import { SUITES, type SuiteName } from '../suites/suites.js';
import type { Binding } from './place.js';

/** How well an envelope protects what is in it. */
export interface Strength {
  readonly suite: SuiteName;
  readonly binding: Binding;
}

/** From the weakest. */
export const BINDINGS = ['none', 'context', 'key'] as const satisfies readonly Binding[];

export function isAsStrongBinding(binding: Binding, asked: Binding): boolean {
  return BINDINGS.indexOf(binding) >= BINDINGS.indexOf(asked);
}

/** A suite that commits to the key does where one is asked for that does not. */
export function isAsStrongSuite(suite: SuiteName, asked: SuiteName): boolean {
  return SUITES[suite].commitmentLength >= SUITES[asked].commitmentLength;
}

export function isAsStrong({ suite, binding }: Strength, asked: Strength): boolean {
  return isAsStrongSuite(suite, asked.suite) && isAsStrongBinding(binding, asked.binding);
}
