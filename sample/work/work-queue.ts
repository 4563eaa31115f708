import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRedisConnection, type RedisConnection } from 'rednest';
import { transactionReplies } from '../common/transaction-replies.js';
import type { WorkItem } from './work.dto.js';
import { workKeys } from './work.keys.js';

/** Seconds for which an item can be asked about. */
const ITEM_TTL = 24 * 60 * 60;

/** Seconds that one wait for work takes at most: so often the worker looks whether all is well. */
const TAKE_TIMEOUT = 1;

/** The outcome of an item. */
export type WorkOutcome = Pick<WorkItem, 'neighbours'> & { state: 'done' | 'failed' };

/**
 * A reliable work list (https://redis.io/docs/latest/commands/lmove/, "Pattern: Reliable queue"): an id that is taken moves to a
 * second list in the same step, and leaves that only together with the write of its result. Whatever happens in between, it stands
 * in one of the two. An item may be done twice that way, so doing it has to be repeatable.
 */
@Injectable()
export class WorkQueue {
  readonly #connection: RedisConnection;

  constructor(@InjectRedisConnection() connection: RedisConnection) {
    this.#connection = connection;
  }

  async add(cityId: number): Promise<WorkItem> {
    const id = randomUUID();
    const key = workKeys.item(id);
    transactionReplies(
      await this.#connection.client
        .multi()
        .hset(key, { cityId, state: 'queued' satisfies WorkItem['state'] })
        .expire(key, ITEM_TTL)
        .lpush(workKeys.queue, id)
        .exec(),
    );
    return { id, cityId, state: 'queued' };
  }

  async find(id: string): Promise<WorkItem | undefined> {
    const { cityId, state, neighbours } = await this.#connection.client.hgetall(workKeys.item(id));
    if (cityId === undefined) return undefined;
    return {
      id,
      cityId: Number(cityId),
      state: state as WorkItem['state'],
      ...(neighbours !== undefined && {
        neighbours: JSON.parse(neighbours) as WorkItem['neighbours'] & object,
      }),
    };
  }

  /**
   * The id of the next item; waits for one for a second at most, or until the signal. An id that Redis hands out just as the signal
   * comes is on the processing list, and is found there by the next start.
   */
  take(signal: AbortSignal): Promise<string | null> {
    // Blocking on the shared client would hold up every request: it needs a connection of its own.
    return this.#connection.withDedicated({ key: workKeys.queue, signal }, (client) =>
      client.blmove(workKeys.queue, workKeys.processing, 'RIGHT', 'LEFT', TAKE_TIMEOUT),
    );
  }

  async finish(id: string, { state, neighbours }: WorkOutcome): Promise<void> {
    const key = workKeys.item(id);
    transactionReplies(
      await this.#connection.client
        .multi()
        .hset(key, { state, ...(neighbours && { neighbours: JSON.stringify(neighbours) }) })
        .expire(key, ITEM_TTL)
        .lrem(workKeys.processing, 1, id)
        .publish(workKeys.finished, id)
        .exec(),
    );
  }

  /** Takes an id off that has no item any more. */
  async drop(id: string): Promise<void> {
    await this.#connection.client.lrem(workKeys.processing, 1, id);
  }

  /**
   * Puts what was taken and not finished back to the front of the queue, oldest first. What another replica is about to finish goes
   * back too, and is then done twice.
   *
   * @returns how many
   */
  async recover(): Promise<number> {
    const { processing, queue } = workKeys;
    let recovered = 0;
    while ((await this.#connection.client.lmove(processing, queue, 'LEFT', 'RIGHT')) !== null) recovered++;
    return recovered;
  }
}
