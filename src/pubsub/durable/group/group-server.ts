import type { Redis } from 'ioredis';
import { RedisOutOfMemoryError, toRedisError, type RedisClient, type Script } from '../../../redis/index.js';
import { TimeLimit } from '../../../timing/time-limit.js';
import type { BusParts } from '../../bus-parts.js';
import { TopicKeys } from '../topic-keys.js';
import { orRedisError } from '../../../redis/shared.js';
import {
  ackScript,
  commitScript,
  deadScript,
  failScript,
  leaveScript,
  ownScript,
  recoverScript,
  type AckInput,
  type CommitInput,
  type DeadInput,
  type FailInput,
  type GroupPlace,
  type OwnInput,
  type OwnReply,
  type RecoverInput,
  type RecoverReply,
} from './scripts.js';

type Own<Input> = Omit<Input, keyof GroupPlace>;

/** Entries of one partition that are looked for at a time: Redis serves nobody else meanwhile. */
const PAGE = 100;

/** All that a consumer of a group tells and asks Redis, save for reading. Each answer is waited for up to `publishTimeout`. */
export class GroupServer implements GroupPlace {
  readonly keys: TopicKeys;
  readonly consumer: string;
  readonly #connection: BusParts['connection'];
  readonly #limit: TimeLimit;

  constructor(
    { connection, options, process }: BusParts,
    topic: string,
    readonly group: string,
  ) {
    this.keys = new TopicKeys(options.namespace, topic);
    this.consumer = process;
    this.#connection = connection;
    this.#limit = new TimeLimit(options.publishTimeout);
  }

  /** Makes the group where it does not exist yet. @returns whether it did not, in any of the partitions */
  async ensure(partitions: readonly number[], from: string): Promise<boolean> {
    const made = await Promise.all(partitions.map((partition) => this.#ensure(partition, from)));
    return made.includes(true);
  }

  async #ensure(partition: number, from: string): Promise<boolean> {
    try {
      const stream = this.keys.stream(partition);
      await this.#limit.apply(this.#client.xgroup('CREATE', stream, this.group, from, 'MKSTREAM'));
      // Of one that was there before.
      await this.#limit.apply(this.#client.del(this.keys.retries(this.group, partition)));
      return true;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('BUSYGROUP')) return false;
      const redisError = toRedisError(error);
      // With its memory full, Redis does not look whether there is anything to make.
      if (redisError instanceof RedisOutOfMemoryError && (await this.#hasGroup(partition))) return false;
      throw redisError ?? error;
    }
  }

  /** Whether the group has had consumers before, and was not removed. */
  async isKnown(): Promise<boolean> {
    const seen = await orRedisError(this.#limit.apply(this.#client.hget(this.keys.groups, this.group)));
    return seen !== null && this.#hasGroup(0);
  }

  #hasGroup(partition: number): Promise<boolean> {
    return this.pending([partition]).then(
      () => true,
      (error: unknown) => {
        if (isMissingGroup(error)) return false;
        throw toRedisError(error) ?? error;
      },
    );
  }

  own(input: Own<OwnInput>): Promise<OwnReply> {
    return this.#run(ownScript, input);
  }

  async leave(partitions: number): Promise<void> {
    await this.#run(leaveScript, { partitions });
  }

  /** @param idle milliseconds for which an entry must have been pending */
  recover(partition: number, idle: number, from = '-'): Promise<RecoverReply> {
    const input: Own<RecoverInput> = { partition, idle: Math.ceil(idle), from, count: PAGE };
    return this.#run(recoverScript, input);
  }

  /** How many entries of each partition were delivered to the group and not acknowledged. */
  pending(partitions: readonly number[]): Promise<number[]> {
    const counts = partitions.map(async (partition) => {
      const [count] = await this.#client.xpending(this.keys.stream(partition), this.group);
      return Number(count);
    });
    return this.#limit.apply(Promise.all(counts));
  }

  /** An attempt begins of which it is to be known if it never ends. */
  async begin(partition: number, id: string, attempt: number): Promise<void> {
    await this.#run(failScript, { partition, id, attempt, delay: undefined });
  }

  async fail(input: Own<FailInput>): Promise<void> {
    await this.#run(failScript, input);
  }

  /** Acknowledges entries of which nothing more is kept. */
  async ack(partition: number, ids: readonly string[]): Promise<void> {
    await this.#limit.apply(this.#client.xack(this.keys.stream(partition), this.group, ...ids));
  }

  async ackNoted(input: Own<AckInput>): Promise<void> {
    await this.#run(ackScript, input);
  }

  isDone(event: string): Promise<boolean> {
    const score = this.#client.zscore(this.keys.done(this.group), event);
    return this.#limit.apply(score).then((found) => found !== null);
  }

  dead(input: Own<DeadInput>): Promise<boolean> {
    return this.#run(deadScript, input);
  }

  commit(input: Own<CommitInput>): Promise<unknown[] | undefined> {
    return this.#run(commitScript, input);
  }

  /** The raw fields of an entry, if it is still there. */
  async read(partition: number, id: string): Promise<string[] | undefined> {
    const [entry] = await this.#limit.apply(this.#client.xrange(this.keys.stream(partition), id, id));
    return entry?.[1];
  }

  /** Runs work with a connection of its own, which leads to the master that has the streams. */
  reading<T>(signal: AbortSignal, work: (client: Redis) => Promise<T>): Promise<T> {
    const key = this.keys.stream(0);
    return this.#connection.withDedicated({ key, signal, lasting: true }, work);
  }

  get #client(): RedisClient {
    return this.#connection.client;
  }

  #run<Input, Reply>(script: Script<Input & GroupPlace, Reply>, input: Input): Promise<Reply> {
    try {
      const { keys, group, consumer } = this;
      return this.#limit.apply(script.run(this.#client, { ...input, keys, group, consumer }));
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

/** Whether an error says that the group does not exist, or the stream. */
export function isMissingGroup(error: unknown): boolean {
  return error instanceof Error && /NOGROUP|no such key/i.test(error.message);
}
