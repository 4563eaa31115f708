import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { toRedisError } from '../../../redis/index.js';
import { backoff } from '../../../timing/backoff.js';
import { logger } from '../../pubsub-logger.js';
import type { GroupServer } from './group-server.js';
import type { Partition } from './partition.js';
import type { Fields } from './scripts.js';

/** Entries of each partition that are read at a time. */
const BATCH = 200;
/** For how many milliseconds Redis keeps a read waiting where there is nothing. */
const BLOCK = 2_000;
/** The same, while partitions are left out that may soon be read again. */
const SHORT_BLOCK = 20;
/** Between attempts to reach Redis. */
const AWAY = { first: 100, longest: 2_000 };

interface Handlers {
  /** What may be read now. */
  readonly partitions: () => { readonly readable: readonly Partition[]; readonly areAll: boolean };
  /** Resolves when that may have changed. */
  readonly changed: () => Promise<void>;
  /** A new connection: replies to the one before may have been lost. */
  connected(): void;
  read(partition: Partition, id: string, fields: Fields): void;
  /** The group is gone, with the data of Redis or by somebody's hand. */
  missing(): Promise<void>;
}

type Reply = [stream: string, entries: [id: string, fields: string[]][]][] | null;

/** Reads new entries of the partitions of a group (`XREADGROUP`), on a connection of its own, for as long as it runs. */
export class Reader {
  readonly #server: GroupServer;
  readonly #handlers: Handlers;
  readonly #stopped = new AbortController();
  #failures = 0;

  constructor(server: GroupServer, handlers: Handlers) {
    this.#server = server;
    this.#handlers = handlers;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#server.reading(signal, (client) => this.#readOn(client));
      } catch (error) {
        if (!signal.aborted) await this.#failed(error);
      }
    }
  }

  stop(): void {
    this.#stopped.abort(new Error('The group is left'));
  }

  async #readOn(client: Redis): Promise<void> {
    this.#handlers.connected();
    while (!this.#stopped.signal.aborted) {
      const { readable, areAll } = this.#handlers.partitions();
      if (readable.length === 0) await this.#handlers.changed();
      else await this.#read(client, readable, areAll ? BLOCK : SHORT_BLOCK);
    }
  }

  async #read(client: Redis, partitions: readonly Partition[], block: number): Promise<void> {
    const { keys, group, consumer } = this.#server;
    const streams = partitions.map(({ number }) => keys.stream(number));
    const count = Math.min(BATCH, ...partitions.map((partition) => partition.room()));
    const options = ['COUNT', count, 'BLOCK', block, 'STREAMS'] as const;
    const reply = (await client.xreadgroup(
      'GROUP',
      group,
      consumer,
      ...options,
      ...streams,
      ...streams.map(() => '>'),
    )) as Reply;
    if (this.#failures > 0) logger.log(`Reads '${keys.topic}' for group '${group}' again`);
    this.#failures = 0;
    for (const [stream, entries] of reply ?? []) {
      const partition = partitions[streams.indexOf(stream)]!;
      for (const [id, fields] of entries) this.#handlers.read(partition, id, fields);
    }
  }

  async #failed(error: unknown): Promise<void> {
    const message = (toRedisError(error) ?? (error as Error)).message;
    if (message.startsWith('NOGROUP')) {
      // What else fails is tried again in any case.
      return this.#handlers.missing().catch(() => undefined);
    }
    if (++this.#failures === 2) {
      const { keys, group } = this.#server;
      logger.warn(`Cannot read '${keys.topic}' for group '${group}', and tries again: ${message}`);
    }
    await sleep(backoff(this.#failures - 1, AWAY), undefined, {
      ref: false,
      signal: this.#stopped.signal,
    }).catch(() => undefined);
  }
}
