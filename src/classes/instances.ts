import { instanceToPlain, plainToInstance } from 'class-transformer';
import { hasDiscriminators, isTransformed } from './transformer-metadata.js';

/**
 * An instance of the class, made without arguments, with the properties of the data. As class-transformer makes it, which is asked only
 * where the class has decorators of it: it takes several times as long.
 *
 * @throws whatever the constructor, a setter or a decorator throws
 */
export function toInstance(classRef: new (...args: never[]) => object, data: object): object {
  const construct = classRef as new () => Record<string, unknown>;
  if (isTransformed(classRef)) {
    return plainToInstance(construct, hasDiscriminators() ? (copyOf(data) as object) : data);
  }
  const instance = new construct();
  const source = data as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(source)) {
    if (!(name in instance) || isData(instance, name)) instance[name] = source[name];
  }
  return instance;
}

/**
 * What `JSON.stringify` is to be given for an object: itself, or where a class in it has decorators of class-transformer, what that makes
 * of it. `@Exclude` holds wherever an instance stands: nothing leaves that is not to.
 *
 * @throws whatever a decorator throws; RangeError for what is cyclic
 */
export function toPlain(object: object): unknown {
  return isOfTransformed(object) || holdsTransformed(object, undefined) ? instanceToPlain(object) : object;
}

/** Of what is plain; that of `structuredClone` is of another realm in Jest, so that no object of it is an `Object`. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]: [string, unknown]) => [name, copyOf(item)]),
  );
}

/** Not what would replace the prototype, nor a method, nor what can only be read. */
function isData(instance: object, name: string): boolean {
  if (name === '__proto__' || typeof (instance as Record<string, unknown>)[name] === 'function') return false;
  for (let each: object | null = instance; each; each = Object.getPrototypeOf(each) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(each, name);
    if (descriptor) return descriptor.writable === true || descriptor.set !== undefined;
  }
  return true;
}

function isOfTransformed(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as { readonly constructor?: unknown } | null;
  if (prototype === null || prototype === Object.prototype || prototype === Array.prototype) return false;
  return typeof prototype.constructor === 'function' && isTransformed(prototype.constructor);
}

/** @param seen made when it is needed: most hold no objects */
function holdsTransformed(value: object, seen: Set<object> | undefined): boolean {
  if (ArrayBuffer.isView(value)) return false;
  const items = (Array.isArray(value) ? value : Object.values(value)) as readonly unknown[];
  for (const item of items) {
    if (typeof item !== 'object' || item === null) continue;
    seen ??= new Set();
    if (seen.has(item)) continue;
    seen.add(item);
    if (isOfTransformed(item) || holdsTransformed(item, seen)) return true;
  }
  return false;
}
