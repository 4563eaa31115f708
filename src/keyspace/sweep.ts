import { orRedisError } from '../redis/shared.js';
import type { RedisConnection, RedisError } from '../redis/index.js';
import type { KeyWalk, Page } from './key-walk.js';
import type { Patience } from './patience.js';
import { movedSlots, slotOwners, type SlotOwners } from './slot-owners.js';

interface SweepParts {
  readonly connection: RedisConnection;
  readonly patience: Patience;
  readonly walk: KeyWalk;
  /** Without it nobody is told, and the servers are not asked how many keys they have. */
  readonly progress?: SweepProgress;
  /** @default it goes on to the end */
  readonly isStopped?: () => boolean;
  /** Looks at the keys of a page. `'again'`: they have to be asked for again, since the server that told of them is gone. */
  readonly work: (page: Page) => Promise<'done' | 'again'>;
}

/** Told how far a sweep is. */
export interface SweepProgress {
  /** @param total how many keys the servers have */
  begin(total: number): void;
  passed(page: Page): void;
  end(): void;
}

/** How a sweep has ended. */
export interface SweepEnd {
  /** Whether all keys were looked at, for sure. */
  readonly completed: boolean;
  /** Why a key may have been missed, though all masters were walked through; undefined where it was stopped. */
  readonly doubt?: RedisError | undefined;
}

/** Looks at all keys of a pattern, a page at a time. */
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
   * @throws RedisError, and what the work throws
   */
  async run(rounds: number): Promise<SweepEnd> {
    const { patience, progress, walk } = this.#parts;
    progress?.begin(await patience.ask(() => this.#size()));
    let before = await this.#owners();
    if (before.text !== this.#slots) walk.reset();
    for (let round = 1; ; round++) {
      this.#slots = before.text;
      if (!(await this.#walk())) return { completed: false };
      const after = await this.#owners();
      const doubt = doubtBetween(before, after);
      if (doubt) walk.reset();
      if (!doubt?.retryable || round >= rounds) {
        progress?.end();
        return { completed: !doubt, doubt };
      }
      before = after;
    }
  }

  async #walk(): Promise<boolean> {
    const { patience, progress, walk, work, isStopped = () => false } = this.#parts;
    while (!isStopped()) {
      const page = await patience.ask(() => walk.next());
      if (!page) return true;
      const end = await work(page);
      // Some of its keys may not have been looked at.
      if (isStopped()) return false;
      if (end === 'again') continue;
      walk.passed(page);
      progress?.passed(page);
    }
    return false;
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
