/** Where the keys of objects begin to cost more than the records that save them: about six objects of ten values. Measured. */
const MOST_VALUES = 64;

/**
 * Whether a value consists of at most 64 values, among them none that a plain MessagePack map cannot stand for: no Map, and nothing that
 * may hold one out of sight. What has a cycle has no end of values, so it is none either.
 */
export function isSmallTree(value: unknown): boolean {
  return valuesLeft(value, MOST_VALUES) >= 0;
}

/** How many of `left` values are left after this one and all within it; negative where there are more, or one that will not do. */
function valuesLeft(value: unknown, left: number): number {
  if (typeof value !== 'object' || value === null) return left - 1;
  if (Array.isArray(value)) return leftAfterItems(value, left - 1);
  if (value.constructor !== Object) {
    if (ArrayBuffer.isView(value) || value instanceof Date) return left - 1;
    if (isUnclear(value)) return -1;
  }
  let rest = left - 1;
  for (const key in value) {
    rest = valuesLeft((value as Record<string, unknown>)[key], rest);
    if (rest < 0) return rest;
  }
  return rest;
}

function leftAfterItems(items: readonly unknown[], left: number): number {
  let rest = left - items.length;
  if (rest < 0) return rest;
  for (const item of items) {
    if (typeof item !== 'object' || item === null) continue;
    rest = valuesLeft(item, rest + 1);
    if (rest < 0) return rest;
  }
  return rest;
}

function isUnclear(value: object): boolean {
  if (value instanceof Map || value instanceof Set || value instanceof Error) return true;
  return 'toJSON' in value;
}
