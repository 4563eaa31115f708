import type { BusParts } from '../bus-parts.js';
import { TopicKeys } from '../durable/topic-keys.js';
import { orRedisError } from '../../redis/shared.js';
import { streamsOf } from '../durable/topic-streams.js';
import type { Envelope } from '../events/envelope.js';
import type { EventType } from '../events/event-type.js';
import { logger } from '../pubsub-logger.js';
import { KnownTopics } from '../publishing/known-topics.js';
import { parse, toDeadLetter, type DeadLetter } from './dead-letter.js';
import type {
  DeadLetterFilter,
  DeadLetterListOptions,
  DeadLetterSelection,
  DeadLetterWorkOptions,
} from './dead-letter-options.js';
import { idsScript, listScript, replayMark, replayScript, type ReplayInput } from './dead-letter-scripts.js';
import {
  checkWorkOptions,
  resolveFilter,
  resolveListOptions,
  resolveSelection,
  type ResolvedListOptions,
} from './resolve-selection.js';

/** So many are looked at in one script. */
const PAGE = 50;

/** Who has not published a letter again within so many milliseconds is gone. */
const REPLAY_MARK = 10_000;

/** Where letters are put back. */
type ReplayPlace = Omit<ReplayInput, 'id' | 'mark'>;

/** Publishes a message of a topic that is not durable, as it is. */
export type Republish = (envelope: Envelope, raw: string) => Promise<unknown>;

/**
 * What became of the events of a topic that could not be handled: to be looked at, handled again after the fix, or dropped.
 *
 * @example
 * const letters = bus.deadLetters(OrderPaid);
 * for await (const { eventId, error } of letters.list({ group: 'invoices', limit: 10 })) console.log(eventId, error);
 * await letters.replay({ group: 'invoices' });
 */
export class DeadLetters<E = unknown> {
  readonly #parts: BusParts;
  readonly #type: EventType;
  readonly #keys: TopicKeys;
  readonly #republish: Republish;

  /** @internal */
  constructor(parts: BusParts, type: EventType, republish: Republish) {
    this.#parts = parts;
    this.#type = type;
    this.#keys = new TopicKeys(parts.options.namespace, type.topic);
    this.#republish = republish;
  }

  get topic(): string {
    return this.#type.topic;
  }

  /**
   * How many there are.
   *
   * @throws PubSubConfigurationError; RedisError
   */
  async count(filter: DeadLetterFilter = {}): Promise<number> {
    const resolved = resolveFilter(this.#call('count'), filter);
    if (Object.keys(resolved).length === 0) return orRedisError(this.#client.xlen(this.#keys.dead));
    return (await this.#find(resolved)).length;
  }

  /**
   * The oldest come first. They are read in pages, as they are asked for; those that come meanwhile are listed too.
   *
   * @throws PubSubConfigurationError at once; RedisError (as a rejection)
   */
  list(options: DeadLetterListOptions = {}): AsyncGenerator<DeadLetter<E>, void, undefined> {
    return this.#list(resolveListOptions(this.#call('list'), options));
  }

  async *#list({
    filter,
    limit,
    after,
  }: ResolvedListOptions): AsyncGenerator<DeadLetter<E>, void, undefined> {
    let left = limit;
    let next = after;
    while (left > 0) {
      const page = { dead: this.#keys.dead, filter, after: next, end: undefined, count: PAGE };
      const reply = await listScript.run(this.#client, page);
      for (const entry of reply.found.slice(0, left)) yield toDeadLetter<E>(entry, this.#parts.codec);
      left -= reply.found.length;
      if (reply.next === undefined) return;
      next = reply.next;
    }
  }

  /**
   * Has letters handled again, the oldest first, by their groups only: other groups of the topic do not see them. Attempts are counted
   * anew. Each is put back and removed from the dead letters in one step, so that none is lost, or put back twice, when this is
   * interrupted or when several replicas do it. Letters that come meanwhile, such as those that fail again, are not replayed.
   *
   * A letter without a group reaches every replica again. Where the topic is not durable it is published first and removed then: when
   * that is interrupted, it may be published once more by the next replay.
   *
   * Letters that were `cut`, those of a group that is gone, and those without a group that cannot be read, are left where they are. A warning
   * in the log says how many.
   *
   * @param which `'all'`, letters, or what those have in common
   * @returns how many were replayed; those that another replica has replayed or dropped meanwhile are not counted
   * @throws PubSubConfigurationError; RedisError; PubSubError where one cannot be published. Those before it are replayed
   */
  async replay(which: DeadLetterSelection, options: DeadLetterWorkOptions = {}): Promise<number> {
    const ids = await this.#select('replay', which, options);
    if (ids.length === 0) return 0;
    const isDurable = await new KnownTopics(this.#parts).isDurable(this.#type);
    const place = { ...(await streamsOf(this.#parts, this.#type)), isDurable };
    let replayed = 0;
    let left = 0;
    for (const [index, id] of ids.entries()) {
      const outcome = await this.#replay(place, id);
      if (outcome === 'replayed') replayed++;
      if (outcome === 'impossible') left++;
      await options.onProgress?.({ done: index + 1, total: ids.length });
    }
    if (left > 0) {
      const reason = 'they are too large, cannot be read, or are of a group that is gone';
      logger.warn(`${left} of ${ids.length} dead letters of '${this.topic}' cannot be replayed: ${reason}`);
    }
    return replayed;
  }

  /**
   * Removes letters for good.
   *
   * @param which `'all'`, letters, or what those have in common
   * @returns how many were removed; those that another replica has replayed or dropped meanwhile are not counted
   * @throws PubSubConfigurationError; RedisError
   */
  async drop(which: DeadLetterSelection, options: DeadLetterWorkOptions = {}): Promise<number> {
    const ids = await this.#select('drop', which, options);
    let dropped = 0;
    for (let done = 0; done < ids.length; done += PAGE) {
      const page = ids.slice(done, done + PAGE);
      dropped += await this.#remove(page);
      await options.onProgress?.({ done: done + page.length, total: ids.length });
    }
    return dropped;
  }

  get #client() {
    return this.#parts.connection.client;
  }

  async #replay(place: ReplayPlace, id: string): Promise<'replayed' | 'gone' | 'impossible'> {
    const reply = await replayScript.run(this.#client, { ...place, id, mark: REPLAY_MARK });
    if (reply.outcome === 'cut' || reply.outcome === 'orphaned') return 'impossible';
    if (reply.outcome !== 'publish') return reply.outcome;
    try {
      const envelope = parse(reply.raw, this.#parts.codec);
      if (!envelope) return 'impossible';
      await orRedisError(this.#republish(envelope, reply.raw));
      return (await this.#remove([id])) === 1 ? 'replayed' : 'gone';
    } finally {
      // Where that fails too, it is gone soon.
      await this.#client.del(replayMark(this.#keys.dead, id)).catch(() => undefined);
    }
  }

  #remove(ids: readonly string[]): Promise<number> {
    return orRedisError(this.#client.xdel(this.#keys.dead, ...ids));
  }

  async #select(
    method: string,
    which: DeadLetterSelection,
    options: DeadLetterWorkOptions,
  ): Promise<readonly string[]> {
    const call = this.#call(method);
    checkWorkOptions(call, options);
    const selection = resolveSelection(call, which);
    return 'ids' in selection ? selection.ids : this.#find(selection.filter);
  }

  /** For messages. */
  #call(method: string): string {
    return `DeadLetters.${method} of '${this.topic}'`;
  }

  /** Those that are there now: what is replayed and fails again comes after them. */
  async #find(filter: DeadLetterFilter): Promise<string[]> {
    const { dead } = this.#keys;
    const [last] = await orRedisError(this.#client.xrevrange(dead, '+', '-', 'COUNT', 1));
    const ids: string[] = [];
    let next: string | undefined;
    if (!last) return ids;
    do {
      const reply = await idsScript.run(this.#client, {
        dead,
        filter,
        after: next,
        end: last[0],
        count: PAGE,
      });
      ids.push(...reply.found);
      next = reply.next;
    } while (next !== undefined);
    return ids;
  }
}
