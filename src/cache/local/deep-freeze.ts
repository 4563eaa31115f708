/** Freezes what the value is made of: plain objects and arrays. Maps, Sets, Dates and bytes can be changed all the same. */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value))
    return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
