import type { Place } from '../../decorators/decorate-method.js';
import { findsMarked, markMethod } from '../../decorators/marked-methods.js';

const LOCKED = Symbol('rednest:locked');

/** Marks a method as one that {@link isBehindLocked} finds. */
export function markLocked(method: object): void {
  markMethod(method, LOCKED);
}

/**
 * Whether the instance has a locked method in the place of this one, which reaches this one by `super`: where both lock the same resource, it
 * would wait for itself.
 */
export function isBehindLocked(
  instance: object,
  { target, property }: Pick<Place, 'target' | 'property'>,
): boolean {
  return findsMarked(LOCKED, property, { first: Object.getPrototypeOf(instance), end: target });
}
