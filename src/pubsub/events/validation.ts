import { types } from 'node:util';
import { validateSync, ValidationTypes, type ValidatorOptions } from 'class-validator';
import { problemsOf } from '../../classes/property-problems.js';
import { messageOf } from '../describe-error.js';
import type { EventProblem } from '../pubsub-errors.js';
import { constraintsOf, quickCheck, rulesOf, type QuickCheck } from './quick-check.js';
import { typeOf } from '../../classes/transformer-metadata.js';

const NONE: readonly EventProblem[] = Object.freeze([]);

/** Checks events with class-validator. */
export class Validation {
  readonly #options: ValidatorOptions;
  readonly #quick = new WeakMap<object, QuickCheck>();

  constructor(options: ValidatorOptions) {
    this.#options = { forbidUnknownValues: false, ...options };
  }

  /** What is wrong with an event; never throws. */
  problemsOf(event: object): readonly EventProblem[] {
    try {
      if (this.#isQuicklyValid(event)) return NONE;
      const errors = validateSync(event, this.#options);
      return errors.length === 0 ? NONE : problemsOf(errors);
    } catch (error) {
      return [{ property: '', message: `it cannot be checked: ${messageOf(error)}` }];
    }
  }

  #isQuicklyValid(event: object): boolean {
    const classRef: unknown = event.constructor;
    if (typeof classRef !== 'function') return false;
    let check = this.#quick.get(classRef);
    if (!check) this.#quick.set(classRef, (check = quickCheck(classRef, this.#options)));
    return check(event);
  }
}

/** The properties of a class, and of those that it holds, which `validateSync` would leave out. */
export function asyncValidators(classRef: object): string[] {
  return asyncWithin(classRef, '', new Set());
}

function asyncWithin(classRef: object, path: string, seen: Set<object>): string[] {
  if (seen.has(classRef)) return [];
  seen.add(classRef);
  return rulesOf(classRef, { always: true }).flatMap((rule) => {
    const property = `${path}${rule.propertyName}`;
    if (rule.type === ValidationTypes.PROMISE_VALIDATION) return [property];
    if (rule.type === ValidationTypes.NESTED_VALIDATION) {
      const nested = typeOf(classRef, rule.propertyName);
      return nested ? asyncWithin(nested, `${property}.`, seen) : [];
    }
    return constraintsOf(rule).some(isAsync) ? [property] : [];
  });
}

function isAsync({ async, target }: ReturnType<typeof constraintsOf>[number]): boolean {
  const { validate } = target.prototype as { readonly validate?: unknown };
  return async || types.isAsyncFunction(validate);
}
