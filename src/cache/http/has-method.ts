/** Whether an object can be called by one of the names: a property of that name is none. */
export function hasMethod(value: object, ...names: readonly (string | symbol)[]): boolean {
  return names.some((name) => typeof (value as Record<string | symbol, unknown>)[name] === 'function');
}
