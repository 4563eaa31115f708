/** Marks a method as one that {@link findsMarked} finds. */
export function markMethod(method: object, mark: symbol): void {
  Reflect.defineMetadata(mark, true, method);
}

/**
 * Whether a class has a marked method of that name.
 *
 * @param first prototype of the class to begin with; those above it follow
 * @param end the prototype to stop before; without, all are looked at
 */
export function findsMarked(
  mark: symbol,
  property: string | symbol,
  { first, end = null }: { first: unknown; end?: object | null },
): boolean {
  for (let each = first; each && each !== end; each = Object.getPrototypeOf(each)) {
    const method: unknown = Object.getOwnPropertyDescriptor(each, property)?.value;
    if (typeof method === 'function' && Reflect.hasOwnMetadata(mark, method)) return true;
  }
  return false;
}
