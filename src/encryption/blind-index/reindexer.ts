/** Puts a blind index in Redis under the primary key. */
export interface Reindexer {
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
