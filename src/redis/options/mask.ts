import { inspect, types, type InspectOptions } from 'node:util';

/** What stands in the place of a secret. */
export const MASK = '***';

const LONGEST_SHOWN = 120;
const SECRET_NAME = /^(?:key|decryptKeys|pfx|token|secret|passphrase)$|password$/i;
const ADDRESS = /^(\[[^\]]*\]|[^:/?#]*)(:\d{1,5})?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/s;

/**
 * The URL with its secrets replaced by `***`: everything before the last `@`, the values of query parameters (save `db`) and the
 * fragment. Text that is no proper URL is masked rather too much than too little, since a `#` or `/` that was not
 * percent-encoded moves half a password out of its place.
 *
 * @example maskUrl('redis://app:s3cret@cache:6379/1') // 'redis://***@cache:6379/1'
 */
export function maskUrl(url: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0] ?? '';
  const rest = url.slice(scheme.length);
  const at = rest.lastIndexOf('@');
  const userInfo = at < 0 ? '' : `${MASK}@`;
  const parts = ADDRESS.exec(rest.slice(at + 1));
  if (!parts) return `${scheme}${userInfo}${MASK}`;
  const [, host = '', port = '', path = '', query = '', fragment = ''] = parts;
  return `${scheme}${userInfo}${host}${port}${path}${maskQuery(query)}${fragment && `#${MASK}`}`;
}

function maskQuery(query: string): string {
  if (!query) return '';
  const parameters = query
    .slice(1)
    .split('&')
    .map((parameter) => {
      const [name, value] = parameter.split('=', 2);
      if (value === undefined) return MASK;
      return name === 'db' && /^\d*$/.test(value) ? parameter : `${name}=${MASK}`;
    });
  return `?${parameters.join('&')}`;
}

function maskText(text: string): string {
  if (text.includes('-----BEGIN') || text.includes('PRIVATE KEY')) return MASK;
  return text.includes('://') || text.includes('@') ? maskUrl(text) : text;
}

/** A value for an error message: short, on one line, without the secrets that it can be seen to hold. Objects are only named. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return quote(maskText(value));
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return 'an array';
  return Buffer.isBuffer(value) ? 'a Buffer' : 'an object';
}

/** `maskUrl` for an error message. */
export function showUrl(url: string): string {
  return quote(maskUrl(url));
}

/**
 * The path of a file for an error message. Shown only where it looks like a path: a password or a key that was put where its
 * file belongs must not be printed.
 */
export function showPath(path: string): string {
  const looksLikePath = /^(?:\/|\.{1,2}\/|~\/|[a-z]:\\)|\.(?:pem|key|crt|cer|cert|txt)$/i.test(path);
  return looksLikePath ? showValue(path) : `'${MASK}'`;
}

function quote(text: string): string {
  const oneLine = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  return `'${oneLine.length > LONGEST_SHOWN ? `${oneLine.slice(0, LONGEST_SHOWN)}…` : oneLine}'`;
}

/**
 * A copy in which the secrets are `***`: what is named `password`, `…Password`, `passphrase`, `key`, `pfx`, `token` or `secret`,
 * private keys wherever they stand, and the user information of URLs. Plain objects and arrays are copied in depth, other
 * objects are passed on as they are.
 */
export function redacted(value: unknown): unknown {
  return redact(value, new Set());
}

function redact(value: unknown, parents: ReadonlySet<object>): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Buffer.isBuffer(value)) return value.includes('PRIVATE KEY') ? MASK : value;
  if (!isPlain(value)) return value;
  if (parents.has(value)) return '[Circular]';
  const path = new Set([...parents, value]);
  if (Array.isArray(value)) return value.map((item: unknown) => redact(item, path));
  const entries = Object.entries(value).map(([name, item]: [string, unknown]) => {
    const isSecret = SECRET_NAME.test(name) && item !== undefined && item !== null;
    return [name, isSecret ? MASK : redact(item, path)];
  });
  return Object.fromEntries(entries);
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Not compared with `Object.prototype`: Jest and `node:vm` have one of their own.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Makes `util.inspect`, `console.log`, the Nest logger and `JSON.stringify` show the object as `redacted` does. The hooks are
 * not enumerable: a spread copy has the values, but not the protection.
 */
export function maskSecrets<T extends object>(object: T): T {
  const show = (_depth: number, options: InspectOptions): string => inspect(redacted(object), options);
  return Object.defineProperties(object, {
    [inspect.custom]: { value: show },
    toJSON: { value: () => redacted(object) },
  });
}
