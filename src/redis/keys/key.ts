/** A value that may stand in a key. */
export type KeyPart = string | number | bigint | boolean;

/** What has a meaning in keys, in patterns (`SCAN MATCH`, ACL) or for the eye, and the escape character itself. */
// oxlint-disable-next-line no-control-regex
const SPECIAL = /[%:{}*?[\]\\^\s\u0000-\u001f\u007f]/g;

function escapePart(part: KeyPart): string {
  if (typeof part === 'string')
    return part.replace(SPECIAL, (character) => encodeURIComponent(character).replace('*', '%2A'));
  if (typeof part === 'bigint' || typeof part === 'boolean' || Number.isFinite(part)) return String(part);
  throw new TypeError(
    `A key cannot be built with ${String(part)}: a string, finite number, bigint or boolean is needed`,
  );
}

/**
 * Builds a key. What is written in the template stays as it is, hash tags (`{…}`) included; what is put in is escaped (percent
 * encoding), so that no input can reach another key, another slot or match more than itself: `user:${'1:admin'}` is `user:1%3Aadmin`.
 * Different inputs make different keys.
 *
 * @throws TypeError for what is no string, finite number, bigint or boolean, such as an `undefined` that slipped through
 * @example
 * await redis.get(key`city:${id}`);
 * await redis.mget(key`account:{${owner}}:balance`, key`account:{${owner}}:limit`);
 */
export function key(template: TemplateStringsArray, ...parts: KeyPart[]): string {
  return String.raw({ raw: template }, ...parts.map(escapePart));
}
