import type { Place } from '../../decorators/decorate-method.js';

const LOCKED = Symbol('rednest:locked');

/** Marks a method as one that {@link isBehindLocked} finds. */
export function markLocked(method: object): void {
  Reflect.defineMetadata(LOCKED, true, method);
}

/**
 * Whether the instance has a locked method in the place of this one, which reaches this one by `super`: where both lock the same resource, it
 * would wait for itself.
 */
export function isBehindLocked(
  instance: object,
  { target, property }: Pick<Place, 'target' | 'property'>,
): boolean {
  for (
    let each: unknown = Object.getPrototypeOf(instance);
    each && each !== target;
    each = Object.getPrototypeOf(each)
  ) {
    const method: unknown = Object.getOwnPropertyDescriptor(each, property)?.value;
    if (typeof method === 'function' && Reflect.hasOwnMetadata(LOCKED, method)) return true;
  }
  return false;
}
