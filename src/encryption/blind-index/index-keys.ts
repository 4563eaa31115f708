/** A key in Redis that is an entry of a blind index. */
export interface IndexEntry {
  /** How the keys of the index begin. */
  readonly prefix: string;
  /** Name of the index. */
  readonly index: string;
  readonly token: string;
  /** Id of the encryption key. */
  readonly keyId: string;
}

/** How the keys of a blind index begin in Redis; the token follows. */
export function indexPrefix(namespace: string, index: string): string {
  return `${namespace}:idx:${index}:`;
}

/** What a key in Redis is an entry of; undefined for a key of another kind. */
export function parseIndexKey(namespace: string, redisKey: string): IndexEntry | undefined {
  const start = `${namespace}:idx:`;
  const colon = redisKey.lastIndexOf(':') + 1;
  const match = /^([0-9a-f]{8})\.[\w-]{43}$/.exec(redisKey.slice(colon));
  if (!match || !redisKey.startsWith(start) || colon <= start.length) return undefined;
  const index = redisKey.slice(start.length, colon - 1);
  return { prefix: redisKey.slice(0, colon), index, token: match[0], keyId: match[1]! };
}
