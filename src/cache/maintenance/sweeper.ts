import type { Redis } from 'ioredis';
import type { RedisConnection } from '../../redis/index.js';
import { orRedisError } from '../../redis/shared.js';
import { HEAD_LENGTH, readBorn } from '../entry/record.js';
import type { MaintenanceOptions } from '../options/cache-options.js';
import { escapePattern } from './glob.js';

/** Keys that one SCAN looks at, about. */
const PAGE = 1_000;

/** Of a page of keys, those that shall go. */
type Choice = (master: Redis, keys: string[]) => Promise<string[]>;

/** Told of the keys that were removed, a page at a time, as the application calls them. */
type Told = (keys: readonly string[]) => void;

/** Looks at all keys of every master, and removes entries: with SCAN and UNLINK, a page at a time, so that no server is held up. */
export class Sweeper {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #removed: (keys: readonly string[]) => void;

  /**
   * @param prefix of the cache's entries
   * @param removed told of the keys that were removed
   */
  constructor(connection: RedisConnection, prefix: string, removed: (keys: readonly string[]) => void) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#removed = removed;
  }

  /** The keys that match, as the application calls them, a page at a time; those of one master after those of another. @throws RedisError */
  async *keys(pattern: string): AsyncGenerator<string[], void> {
    for (const master of this.#connection.masters()) {
      for await (const keys of this.#pages(master, pattern))
        if (keys.length > 0) yield keys.map((key) => key.slice(this.#prefix.length));
    }
  }

  /** @returns how many were removed. @throws RedisError; the signal's reason */
  byPattern(pattern: string, options: MaintenanceOptions, told?: Told): Promise<number> {
    return this.#sweep(pattern, options, { choose: async (_master, keys) => keys, told });
  }

  /** @param bornBefore the server's time. @returns how many were removed. @throws as {@link byPattern} */
  byAge(bornBefore: number, options: MaintenanceOptions, told?: Told): Promise<number> {
    const choose: Choice = async (master, keys) => {
      const pipeline = master.pipeline();
      for (const key of keys) pipeline.getrangeBuffer(key, 0, HEAD_LENGTH - 1);
      const heads = (await pipeline.exec()) ?? [];
      // What is no entry of ours is left alone.
      return keys.filter((_, position) => {
        const [error, head] = heads[position] ?? [];
        const born = error ? undefined : readBorn(head as Buffer);
        return born !== undefined && born < bornBefore;
      });
    };
    return this.#sweep('*', options, { choose, told });
  }

  async #sweep(
    pattern: string,
    { onProgress, signal }: MaintenanceOptions,
    { choose, told }: { choose: Choice; told: Told | undefined },
  ): Promise<number> {
    let done = 0;
    const advance = (removed: number): void => {
      done += removed;
      onProgress?.({ done, total: undefined });
    };
    const sweeps = this.#connection
      .masters()
      .map((master) => this.#sweepMaster(master, pattern, { choose, told, advance, signal }));
    await orRedisError(Promise.all(sweeps));
    return done;
  }

  async #sweepMaster(
    master: Redis,
    pattern: string,
    work: {
      choose: Choice;
      told: Told | undefined;
      advance: (removed: number) => void;
      signal: AbortSignal | undefined;
    },
  ): Promise<void> {
    for await (const keys of this.#pages(master, pattern, work.signal)) {
      const chosen = keys.length > 0 ? await work.choose(master, keys) : [];
      work.advance(chosen.length > 0 ? await this.#remove(master, chosen) : 0);
      if (chosen.length > 0) work.told?.(chosen.map((key) => key.slice(this.#prefix.length)));
    }
  }

  /** The keys in Redis that match; of some pages there are none. */
  async *#pages(master: Redis, pattern: string, signal?: AbortSignal): AsyncGenerator<string[], void> {
    const match = escapePattern(this.#prefix) + pattern;
    let cursor = '0';
    do {
      signal?.throwIfAborted();
      const [next, keys] = await orRedisError(master.scan(cursor, 'MATCH', match, 'COUNT', PAGE));
      yield keys;
      cursor = next;
    } while (cursor !== '0');
  }

  /** One by one: on a Cluster, keys of one node may lie in different slots. @returns how many there were: SCAN may tell of a key twice */
  async #remove(master: Redis, keys: readonly string[]): Promise<number> {
    const pipeline = master.pipeline();
    for (const key of keys) pipeline.unlink(key);
    const replies = (await pipeline.exec()) ?? [];
    const failure = replies.find(([error]) => error)?.[0];
    if (failure) throw failure;
    this.#removed(keys);
    return replies.reduce((sum, [, removed]) => sum + Number(removed), 0);
  }
}
