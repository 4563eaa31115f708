import { orRedisError } from '../../redis/shared.js';
import type { RedisConnection } from '../../redis/index.js';
import type { KeyReader, KeyVisitor } from './key-reader.js';
import type { KeyWalk, Page } from './key-walk.js';
import type { Patience } from './patience.js';
import type { ResolvedSweepOptions } from './resolve-rotation-options.js';
import { slotOwners } from './slot-owners.js';
import type { SweepProgress } from './sweep-progress.js';
import { allDone } from './work-limit.js';

interface SweepParts {
  readonly connection: RedisConnection;
  readonly options: ResolvedSweepOptions;
  readonly patience: Patience;
  readonly walk: KeyWalk;
  readonly reader: KeyReader;
  readonly progress: SweepProgress;
  /** What is done with the keys of a server. */
  readonly visitorOf: (server: string) => KeyVisitor;
}

/** How a sweep has ended. */
export interface SweepEnd {
  /** Whether all keys were looked at: else it was stopped. */
  readonly completed: boolean;
  /** Whether no slot of a Cluster went to another master meanwhile: else a key may not have been looked at. */
  readonly isStable: boolean;
}

/** Looks at all keys of a pattern, a page at a time, and at several of a page at once. */
export class Sweep {
  readonly #parts: SweepParts;
  #slots: string;

  /** @param slots of which master they were where the walk was stopped; undefined where it begins */
  constructor(parts: SweepParts, slots = '') {
    this.#parts = parts;
    this.#slots = slots;
  }

  /** See {@link slotOwners}: what the cursors of the walk are true for. */
  get slots(): string {
    return this.#slots;
  }

  /**
   * @param rounds how often the walk is done, at most, while slots go to other masters
   * @throws RedisError, and what a visitor throws
   */
  async run(rounds: number): Promise<SweepEnd> {
    const { patience, progress, walk } = this.#parts;
    progress.begin(await patience.ask(() => this.#size()));
    const slots = await this.#currentSlots();
    if (slots !== this.#slots) walk.reset();
    this.#slots = slots;
    for (let round = 1; ; round++) {
      if (!(await this.#walk())) return { completed: false, isStable: false };
      const now = await this.#currentSlots();
      const isStable = now === this.#slots;
      if (isStable || round >= rounds) {
        progress.end();
        return { completed: true, isStable };
      }
      this.#slots = now;
      walk.reset();
    }
  }

  async #walk(): Promise<boolean> {
    const { patience, progress, walk, options } = this.#parts;
    while (!options.signal?.aborted) {
      const page = await patience.ask(() => walk.next());
      if (!page) return true;
      await this.#work(page);
      // Some of its keys may not have been looked at.
      if (options.signal?.aborted) return false;
      walk.passed(page);
      progress.passed(page);
    }
    return false;
  }

  async #work({ keys, server }: Page): Promise<void> {
    const { options, reader, visitorOf } = this.#parts;
    const visitor = visitorOf(server);
    let at = 0;
    const failed = new AbortController();
    const work = async (): Promise<void> => {
      try {
        while (at < keys.length && !failed.signal.aborted && !options.signal?.aborted)
          await reader.visit(keys[at++]!, visitor);
      } catch (error) {
        failed.abort();
        throw error;
      }
    };
    await allDone(Array.from({ length: Math.min(options.concurrency, keys.length) }, work));
  }

  async #size(): Promise<number> {
    const sizes = this.#parts.connection.masters().map((master) => orRedisError(master.dbsize()));
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }

  #currentSlots(): Promise<string> {
    return this.#parts.patience.ask(() => slotOwners(this.#parts.connection));
  }
}
