import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { toRedisError } from '../../../redis/index.js';
import { backoff } from '../../../timing/backoff.js';
import { logger } from '../../pubsub-logger.js';
import { blockingRead } from '../blocking-read.js';
import type { Fields } from '../fields.js';
import { ReadSize } from '../read-size.js';
import type { GroupServer } from './group-server.js';
import type { Partition } from './partition.js';

/** Entries of each partition that are read at a time. */
const BATCH = 200;
/** For how many milliseconds Redis keeps a read waiting where there is nothing. */
const BLOCK = 2_000;
/** The same, while partitions are left out that may soon be read again. */
const SHORT_BLOCK = 20;
/** Of the time for which a lease is certain, what a read may take: for what comes later it may not be the one to wait. */
const CERTAIN = 0.8;
/** Between attempts to reach Redis. */
const AWAY = { first: 100, longest: 2_000 };

export interface Readable {
  readonly readable: readonly Partition[];
  readonly areAll: boolean;
  readonly certainFor: number;
}

interface Handlers {
  /** What may be read now, and for how many milliseconds that is certain. */
  readonly partitions: () => Readable;
  /** Resolves when that may have changed. */
  readonly changed: () => Promise<void>;
  /** A new connection: replies to the one before may have been lost. */
  connected(): void;
  /** @returns its size in bytes, roughly */
  read(partition: Partition, id: string, fields: Fields): number;
  /** The group is gone, with the data of Redis or by somebody's hand. */
  missing(): Promise<void>;
}

type Reply = [stream: string, entries: [id: string, fields: string[]][]][] | null;

/** Reads new entries of the partitions of a group (`XREADGROUP`), on a connection of its own, for as long as it runs. */
export class Reader {
  readonly #server: GroupServer;
  readonly #handlers: Handlers;
  readonly #stopped = new AbortController();
  readonly #size = new ReadSize();
  #failures = 0;
  #cut = new AbortController();
  #isReading: readonly Partition[] = [];

  constructor(server: GroupServer, handlers: Handlers) {
    this.#server = server;
    this.#handlers = handlers;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const cut = (this.#cut = new AbortController());
      try {
        await this.#server.reading(AbortSignal.any([signal, cut.signal]), (client) => this.#readOn(client));
      } catch (error) {
        if (!signal.aborted && !cut.signal.aborted) await this.#failed(error);
      }
    }
  }

  /** Somebody else has the partition: a read that waits for its events must not be given them. */
  lost(partition: Partition): void {
    if (this.#isReading.includes(partition)) this.#cut.abort(new Error('The partition is lost'));
  }

  stop(): void {
    this.#stopped.abort(new Error('The group is left'));
  }

  async #readOn(client: Redis): Promise<void> {
    this.#handlers.connected();
    while (!this.#stopped.signal.aborted) {
      const { readable, areAll, certainFor } = this.#handlers.partitions();
      if (readable.length === 0) {
        await this.#handlers.changed();
        continue;
      }
      // 0 would be for ever.
      const block = Math.max(1, Math.floor(Math.min(areAll ? BLOCK : SHORT_BLOCK, certainFor * CERTAIN)));
      // None is given to another before the read has come back: it would take what comes next from its new owner.
      for (const partition of readable) partition.begin();
      this.#isReading = readable;
      try {
        await this.#read(client, readable, block);
      } finally {
        this.#isReading = [];
        for (const partition of readable) partition.end();
      }
    }
  }

  async #read(client: Redis, partitions: readonly Partition[], block: number): Promise<void> {
    const { keys, group, consumer } = this.#server;
    const streams = partitions.map(({ number }) => keys.stream(number));
    const most = this.#size.count(partitions.length);
    const count = Math.min(BATCH, most, ...partitions.map((partition) => partition.room()));
    const options = ['COUNT', count, 'BLOCK', block, 'STREAMS'] as const;
    const ids = streams.map(() => '>');
    const read = () => client.xreadgroup('GROUP', group, consumer, ...options, ...streams, ...ids);
    const reply = (await blockingRead(block, read)) as Reply;
    if (this.#failures > 0) logger.log(`Reads '${keys.topic}' for group '${group}' again`);
    this.#failures = 0;
    for (const [stream, entries] of reply ?? []) {
      const partition = partitions[streams.indexOf(stream)]!;
      let bytes = 0;
      for (const [id, fields] of entries) bytes += this.#handlers.read(partition, id, fields);
      this.#size.note(entries.length, bytes);
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
