import { key, type KeyPart } from './key.js';

/** Builds keys that begin with a name of their own. */
export interface Namespace {
  readonly name: string;
  /** As {@link key}, under the namespace. */
  key(template: TemplateStringsArray, ...parts: KeyPart[]): string;
  /**
   * A pattern for `SCAN MATCH` under the namespace: `*` and the like have their meaning where they are written in the template, and
   * stand for themselves in what is put in.
   */
  pattern(template: TemplateStringsArray, ...parts: KeyPart[]): string;
  /** A namespace within this one. */
  namespace(name: string): Namespace;
}

/**
 * A namespace for keys: everything that it builds begins with `name:`.
 *
 * @throws TypeError for a name with other characters than letters, digits, `_`, `-`, `.` and `:` between them
 * @example
 * const atlas = namespace('atlas');
 * atlas.key`city:${42}`; // 'atlas:city:42'
 * redis.scanStream({ match: atlas.pattern`city:*` });
 */
export function namespace(name: string): Namespace {
  if (!/^[\w.-]+(?::[\w.-]+)*$/.test(name)) {
    throw new TypeError(
      `'${name}' is not a namespace: letters, digits, '_', '-' and '.' are accepted, with ':' between them`,
    );
  }
  // A namespace has no character that a pattern gives a meaning to, and `key` escapes those of the parts.
  const build = (template: TemplateStringsArray, ...parts: KeyPart[]) => `${name}:${key(template, ...parts)}`;
  return { name, key: build, pattern: build, namespace: (inner) => namespace(`${name}:${inner}`) };
}
