import { isDeepStrictEqual, types } from 'node:util';

/** What a property is once it was saved and read: bytes stay bytes where they are encrypted, all else is as JSON has it. */
export function asRead(value: unknown, isEncrypted: boolean): unknown {
  if (isEncrypted && types.isUint8Array(value)) return Buffer.from(value);
  const json = JSON.stringify(value) as string | undefined;
  return json === undefined ? undefined : (JSON.parse(json) as unknown);
}

/** Whether a property only says what others hold: that is not saved, and would be readable where those are encrypted. */
export function isDerived(object: object, property: string): boolean {
  for (let each: object | null = object; each; each = Object.getPrototypeOf(each) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(each, property);
    if (descriptor) return descriptor.get !== undefined && descriptor.set === undefined;
  }
  return false;
}

/**
 * Whether nothing of a value is lost on the way to Redis and back. It need not be the same to the last: a Date may be its text, an instance an
 * object with its properties. Methods, and properties that are undefined, do not count.
 */
export function isKept(value: unknown, back: unknown): boolean {
  if (value === undefined || value === null) return back === undefined || back === null;
  if (typeof value === 'function' || value === back) return true;
  if (typeof value !== 'object') return Object.is(value, back);
  if (Array.isArray(value)) return areKept(value, back);
  if (types.isUint8Array(value) && types.isUint8Array(back)) return Buffer.compare(value, back) === 0;
  // Before it is looked into: what says itself how it is written, such as a Date.
  if (hasOwnJson(value)) return JSON.stringify(value) === JSON.stringify(back);
  // A Map, a Set or a RegExp is `{}` to JSON.
  if (Object.prototype.toString.call(value) !== '[object Object]') return isDeepStrictEqual(value, back);
  if (typeof back !== 'object' || back === null) return false;
  const its = back as Readonly<Record<string, unknown>>;
  return Object.entries(value).every(([name, each]) => isKept(each, its[name]));
}

function areKept(values: readonly unknown[], back: unknown): boolean {
  return (
    Array.isArray(back) &&
    back.length === values.length &&
    values.every((each, position) => isKept(each, back[position]))
  );
}

function hasOwnJson(value: object): boolean {
  return typeof (value as { readonly toJSON?: unknown }).toJSON === 'function';
}
