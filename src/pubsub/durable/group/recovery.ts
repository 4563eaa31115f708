import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../../../timing/backoff.js';
import { logger } from '../../pubsub-logger.js';
import { isMissingGroup, type GroupServer } from './group-server.js';
import type { Partition } from './partition.js';
import type { RecoveredEntry } from './scripts.js';

/** Between attempts to reach Redis. */
const AWAY = { first: 100, longest: 2_000 };
/** Milliseconds between looks at whether there is room again. */
const FULL = 20;

interface Handlers {
  /** @param now by the server's clock */
  recovered(partition: Partition, entry: RecoveredEntry, now: number): void;
  missing(): Promise<void>;
  done(partition: Partition): void;
}

interface Run {
  idle: number;
  done: Promise<void>;
}

/**
 * Has what was delivered before and not acknowledged handled by the partition's owner: what those before it left, and what it was sent
 * itself in replies that were lost.
 */
export class Recovery {
  readonly #server: GroupServer;
  readonly #handlers: Handlers;
  readonly #running = new Map<Partition, Run>();

  constructor(server: GroupServer, handlers: Handlers) {
    this.#server = server;
    this.#handlers = handlers;
  }

  /**
   * Nothing new is read of the partition until it is done: what comes first is handled first. Never rejects.
   *
   * @param idle milliseconds for which an entry must have been pending
   */
  recover(partition: Partition, idle = 0): Promise<void> {
    const running = this.#running.get(partition);
    if (running) {
      running.idle = Math.min(running.idle, idle);
      return running.done;
    }
    partition.state = 'recovering';
    const run: Run = { idle, done: Promise.resolve() };
    this.#running.set(partition, run);
    return (run.done = this.#run(partition, run).finally(() => this.#running.delete(partition)));
  }

  async #run(partition: Partition, run: Run): Promise<void> {
    for (let failures = 0; isWanted(partition); failures++) {
      const { idle } = run;
      try {
        await this.#readAll(partition, idle);
        if (!isWanted(partition)) return;
        // More was asked for meanwhile.
        if (run.idle < idle) continue;
        partition.state = 'reading';
        return this.#handlers.done(partition);
      } catch (error) {
        if (isMissingGroup(error)) await this.#handlers.missing().catch(() => undefined);
        await sleep(backoff(failures, AWAY), undefined, { ref: false });
      }
    }
  }

  async #readAll(partition: Partition, idle: number): Promise<void> {
    const { keys, group } = this.#server;
    for (let from: string | undefined = '-'; from !== undefined && isWanted(partition);) {
      const page = await this.#server.recover(partition.number, idle, from);
      const held = partition.ids();
      for (const entry of page.entries)
        if (!held.has(entry.id)) this.#handlers.recovered(partition, entry, page.now);
      if (page.trimmed > 0)
        logger.warn(
          `${page.trimmed} events of '${keys.topic}' were trimmed before group '${group}' had handled them`,
        );
      from = page.next;
      while (partition.room() === 0 && isWanted(partition)) await sleep(FULL, undefined, { ref: false });
    }
  }
}

/** A method: what it says changes while others are waited for. */
function isWanted(partition: Partition): boolean {
  return !partition.isGone && partition.state !== 'leaving';
}
