import { orRedisError } from '../../redis/shared.js';
import type { RedisConnection, RedisError } from '../../redis/index.js';
import type { KeyReader, KeyVisitor } from './key-reader.js';
import type { KeyWalk, Page } from './key-walk.js';
import type { Patience } from './patience.js';
import type { ResolvedSweepOptions } from './resolve-rotation-options.js';
import { movedSlots, slotOwners, type SlotOwners } from './slot-owners.js';
import type { SweepProgress } from './sweep-progress.js';
import { withEach } from './work-limit.js';

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
  /** Whether all keys were looked at, for sure. */
  readonly completed: boolean;
  /** Why a key may have been missed, though all masters were walked through; undefined where it was stopped. */
  readonly doubt?: RedisError | undefined;
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
   * @param rounds how often the walk is done, at most, while slots go to other masters. Where even the last may have missed a key, it begins
   *   anew the next time.
   * @throws RedisError, and what a visitor throws
   */
  async run(rounds: number): Promise<SweepEnd> {
    const { patience, progress, walk } = this.#parts;
    progress.begin(await patience.ask(() => this.#size()));
    let before = await this.#owners();
    if (before.text !== this.#slots) walk.reset();
    for (let round = 1; ; round++) {
      this.#slots = before.text;
      if (!(await this.#walk())) return { completed: false };
      const after = await this.#owners();
      const doubt = doubtBetween(before, after);
      if (doubt) walk.reset();
      if (!doubt?.retryable || round >= rounds) {
        progress.end();
        return { completed: !doubt, doubt };
      }
      before = after;
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
    await withEach(keys, options, (key) => reader.visit(key, visitor));
  }

  async #size(): Promise<number> {
    const sizes = this.#parts.connection.masters().map((master) => orRedisError(master.dbsize()));
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }

  #owners(): Promise<SlotOwners> {
    return this.#parts.patience.ask(() => slotOwners(this.#parts.connection));
  }
}

function doubtBetween(before: SlotOwners, after: SlotOwners): RedisError | undefined {
  return after.doubt ?? before.doubt ?? (before.text === after.text ? undefined : movedSlots());
}
