import { isDeepStrictEqual, types } from 'node:util';
import { toInstance } from '../../classes/instances.js';

/** What a property is once it was saved and read: bytes stay bytes where they are encrypted, all else is as JSON has it. */
export function asRead(value: unknown, isEncrypted: boolean): unknown {
  if (isEncrypted && types.isUint8Array(value)) return Buffer.from(value);
  const json = JSON.stringify(value) as string | undefined;
  return json === undefined ? undefined : (JSON.parse(json) as unknown);
}

/**
 * Whether a name of what class-transformer makes of a record only says what others hold: that is not loaded again, and would be readable where
 * those are encrypted. A getter, a method, or one of them that is exposed under another name.
 */
export function isDerived(record: object, name: string, { classRef, value }: LoadedProperty): boolean {
  if (Object.hasOwn(record, name)) return false;
  for (
    let each = Object.getPrototypeOf(record) as object | null;
    each;
    each = Object.getPrototypeOf(each) as object | null
  ) {
    const descriptor = Object.getOwnPropertyDescriptor(each, name);
    if (descriptor) return descriptor.set === undefined;
  }
  return isLost(classRef, name, value);
}

interface LoadedProperty {
  readonly classRef: new () => object;
  readonly value: unknown;
}

function isLost(classRef: new () => object, name: string, value: unknown): boolean {
  try {
    return isDeepStrictEqual(
      toInstance(classRef, { [name]: asRead(value, false) }),
      toInstance(classRef, {}),
    );
  } catch {
    // Whoever loads the record will be told.
    return false;
  }
}

/**
 * Whether nothing of a value is lost on the way to Redis and back. It need not be the same to the last: a Date may be its text, an instance an
 * object with its properties. Methods, and properties that are undefined, do not count.
 */
export function isKept(value: unknown, back: unknown): boolean {
  if (value === undefined) return true;
  if (value === null) return back === undefined || back === null;
  if (typeof value === 'function' || value === back) return true;
  if (typeof value !== 'object') return Object.is(value, back);
  if (Array.isArray(value)) return areKept(value, back);
  if (types.isUint8Array(value) && types.isUint8Array(back)) return Buffer.compare(value, back) === 0;
  // Before it is looked into: what says itself how it is written, such as a Date.
  if (hasOwnJson(value)) return isSameJson(value, back);
  // A Map, a Set or a RegExp is `{}` to JSON.
  if (Object.prototype.toString.call(value) !== '[object Object]') return isDeepStrictEqual(value, back);
  if (typeof back !== 'object' || back === null) return false;
  // What it holds may be in private fields, which JSON does not see.
  if (Object.keys(value).length === 0 && !isPlain(value))
    return Object.getPrototypeOf(value) === Object.getPrototypeOf(back);
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

/** A Date that is none is null to JSON. */
function isSameJson(value: object, back: unknown): boolean {
  const json = JSON.stringify(value);
  return json !== 'null' && json === JSON.stringify(back);
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
