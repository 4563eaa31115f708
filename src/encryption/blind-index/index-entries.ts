import type { RedisConnection } from '../../redis/index.js';
import { orRedisError } from '../../redis/shared.js';
import { addMember, removeMember } from './index-scripts.js';
import { memberOf, parseMember, type IndexMark, type IndexMember } from './index-mark.js';

/**
 * For how long, in milliseconds, a member that no record knows may be that of a save that is under way. An entry lives longer than its records
 * by as much: the record is written after it. What a save that takes longer has put there may be removed: `RecordStore.reindex` puts it back.
 */
const GRACE = 60_000;
const AT_ONCE = 100;

/** The entries of a blind index in Redis: a sorted set for each token, of the records that have the value, by the time when they were saved. */
export class IndexEntries {
  readonly #connection: RedisConnection;
  readonly #prefix: string;

  /** @param prefix of the keys in Redis */
  constructor(connection: RedisConnection, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  /**
   * Adds a member.
   *
   * @param lifetime for how long the record is there at most: milliseconds, or Infinity
   * @returns another one of the entry, whichever, if there are others
   */
  async add(mark: IndexMark, id: string, lifetime: number): Promise<IndexMember | undefined> {
    const redisKey = this.#key(mark.token);
    const member = memberOf(mark, id);
    const addition = { redisKey, member, lifetime: lifetime + GRACE };
    const any = await addMember.run(this.#connection.client, addition);
    return any === member ? undefined : parseMember(mark.token, any);
  }

  /** Whether a member is there, and stays for so long: milliseconds, or Infinity. */
  async has(mark: IndexMark, id: string, lifetime: number): Promise<boolean> {
    const redisKey = this.#key(mark.token);
    const { client } = this.#connection;
    const replies = Promise.all([client.zscore(redisKey, memberOf(mark, id)), client.pttl(redisKey)]);
    const [score, left] = await orRedisError(replies);
    return score !== null && (left === -1 || left >= lifetime);
  }

  /** Removes a member that no record has any more. */
  async remove(mark: IndexMark, id: string): Promise<void> {
    const redisKey = this.#key(mark.token);
    await removeMember.run(this.#connection.client, { redisKey, member: memberOf(mark, id), age: 0 });
  }

  /** Removes a member that no record has, unless a save may be about to write one. @returns whether it is gone */
  removeStale({ token, member }: IndexMember): Promise<boolean> {
    const redisKey = this.#key(token);
    return removeMember.run(this.#connection.client, { redisKey, member, age: GRACE });
  }

  /** All members of an entry. */
  async members(token: string): Promise<IndexMember[]> {
    const members = await orRedisError(this.#connection.client.zrange(this.#key(token), 0, '-1'));
    return members.map((member) => parseMember(token, member));
  }

  /** The members of an entry, some at a time; one may come twice. */
  async *scan(token: string): AsyncGenerator<IndexMember[]> {
    let cursor = '0';
    do {
      const reply = this.#connection.client.zscan(this.#key(token), cursor, 'COUNT', AT_ONCE);
      const [next, flat] = await orRedisError(reply);
      cursor = next;
      const members = flat.filter((_each, position) => position % 2 === 0);
      yield members.map((member) => parseMember(token, member));
    } while (cursor !== '0');
  }

  #key(token: string): string {
    return `${this.#prefix}${token}`;
  }
}
