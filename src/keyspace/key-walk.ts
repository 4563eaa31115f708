import type { Redis } from 'ioredis';
import { orRedisError } from '../redis/shared.js';
import {
  RedisClusterError,
  RedisCommandError,
  RedisUnavailableError,
  type RedisConnection,
} from '../redis/index.js';

/** Keys that one SCAN looks at, about: about half a millisecond of a large server, in which it answers nobody else. */
const PAGE_SIZE = 500;

/** In the place of a cursor, where all keys of a server were told. */
export const END = 'end';

/** Some keys of a server. */
export interface Page {
  /** The run id of the server: it has another one after a restart, and cursors are worth nothing then. */
  readonly server: string;
  readonly master: Redis;
  /** Any bytes. */
  readonly keys: readonly Buffer[];
  /** Keys that were looked at for these, about. */
  readonly size: number;
  /** The cursor of what follows, or {@link END}. */
  readonly next: string;
}

export interface KeyWalkOptions {
  /** By the run id of the server, where a walk was stopped before. */
  readonly cursors?: Iterable<readonly [string, string]> | undefined;
  /** Keys that one SCAN looks at, about. @default 500 */
  readonly pageSize?: number;
}

/** Walks through the keys of every master with SCAN. After a failover it begins again with the server that is there then. */
export class KeyWalk {
  readonly #connection: RedisConnection;
  readonly #pattern: string;
  readonly #pageSize: number;
  readonly #cursors: Map<string, string>;
  /** What was behind a connection when it was asked last. */
  readonly #runs = new WeakMap<Redis, string>();
  #masters: readonly Redis[] = [];

  constructor(
    connection: RedisConnection,
    pattern: string,
    { cursors = [], pageSize = PAGE_SIZE }: KeyWalkOptions = {},
  ) {
    this.#connection = connection;
    this.#pattern = pattern;
    this.#cursors = new Map(cursors);
    this.#pageSize = pageSize;
  }

  get cursors(): ReadonlyMap<string, string> {
    return this.#cursors;
  }

  /** The servers that were there when the last page was asked for, as far as they were asked; all of them, when all keys had been told. */
  get present(): readonly string[] {
    return this.#masters.flatMap((master) => this.#runs.get(master) ?? []);
  }

  /**
   * The next keys; undefined where all masters that are there now have told all of theirs. The same ones again, until they are {@link passed}.
   *
   * @throws RedisError; one that is `retryable` where another server was there than before: the next call asks that one
   */
  async next(): Promise<Page | undefined> {
    // What is behind a connection may have changed without anybody noticing: before the end each is asked.
    for (const isSure of [false, true]) {
      const present: string[] = [];
      this.#masters = this.#connection.masters();
      for (const master of this.#masters) {
        const known = isSure ? undefined : this.#runs.get(master);
        const server = known ?? (await this.#runOf(master));
        if (this.#cursors.get(server) !== END) return this.#scan(master, server);
        // Taken for one, what the second has would not be looked at.
        if (isSure && present.includes(server))
          throw new RedisClusterError(
            `two masters have the same run_id, ${server}: they cannot be told apart`,
          );
        present.push(server);
      }
    }
    return undefined;
  }

  /** All of its keys were worked on. */
  passed({ server, next }: Page): void {
    this.#cursors.set(server, next);
  }

  /** Begins again with all servers. */
  reset(): void {
    this.#cursors.clear();
  }

  async #scan(master: Redis, server: string): Promise<Page> {
    const cursor = this.#cursors.get(server) ?? '0';
    // Asked after the page: it is this server that has told of these keys, or one that was there before it, and then the page is dropped.
    const [[cursorAfter, keys], now] = await Promise.all([
      orRedisError(master.scanBuffer(cursor, 'MATCH', this.#pattern, 'COUNT', this.#pageSize)),
      this.#runOf(master),
    ]);
    if (now !== server)
      throw new RedisUnavailableError('another server answered than the one whose keys were asked for');
    const next = cursorAfter.toString();
    return {
      server,
      master,
      keys: withoutRepeated(keys),
      size: this.#pageSize,
      next: next === '0' ? END : next,
    };
  }

  async #runOf(master: Redis): Promise<string> {
    const run = /^run_id:(\S+)/m.exec(await orRedisError(master.info('server')))?.[1];
    if (run === undefined)
      throw new RedisCommandError(
        'INFO gives no run_id: servers, and whether one was restarted, cannot be told',
      );
    this.#runs.set(master, run);
    return run;
  }
}

function withoutRepeated(keys: readonly Buffer[]): Buffer[] {
  return [...new Map(keys.map((key) => [key.toString('latin1'), key])).values()];
}
