/** Who keeps a blind index in Redis up to date. */
export interface IndexKeeper {
  /**
   * Moves what is in an index entry under another key to that of the primary key, and removes what belongs to no record any more, unless it is
   * younger than a minute: its record may be about to be written. Under the primary key all it does is that.
   *
   * @param token under which it is: see `BlindIndexToken`
   * @returns how many records were moved, and how many had to stay
   * @throws RedisError
   */
  reindex(token: string): Promise<{ readonly moved: number; readonly left: number }>;
}

/** How the keys of a blind index begin in Redis; the token follows. */
export function indexPrefix(namespace: string, index: string): string {
  return `${namespace}:idx:${index}:`;
}

/** The index and the token that a key in Redis is made of; undefined for a key of another kind. */
export function parseIndexKey(
  namespace: string,
  redisKey: string,
): { readonly prefix: string; readonly token: string; readonly keyId: string } | undefined {
  const start = `${namespace}:idx:`;
  const colon = redisKey.lastIndexOf(':') + 1;
  const match = /^([0-9a-f]{8})\.[\w-]{43}$/.exec(redisKey.slice(colon));
  if (!match || !redisKey.startsWith(start) || colon <= start.length) return undefined;
  return { prefix: redisKey.slice(0, colon), token: match[0], keyId: match[1]! };
}
