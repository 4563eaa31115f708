import { LRUCache } from 'lru-cache';
import { LimitedWarnings } from '../../logging/limited-warnings.js';
import { toRedisError } from '../../redis/index.js';
import { logger } from '../encryption-logger.js';

/** How much is under way at a time. What is beyond that is done when it is seen next. */
const MOST_AT_ONCE = 64;
/** How many records are remembered, to notice that another replica indexes them under a key that this one does not write with. */
const REMEMBERED = 1_000;
/** How long, in milliseconds, what is under such a key is left alone. */
const TRUCE = 600_000;

/** A record that is in an index under another key than the primary one. */
export interface OutdatedRecord {
  /** In Redis. */
  readonly redisKey: string;
  readonly property: string;
  /** undefined for one that is in none. */
  readonly keyId: string | undefined;
}

/** Keeps indexes in order in the background. What fails is warned of: it will be seen again. */
export class IndexUpkeep {
  readonly #warnings = new LimitedWarnings((message) => logger.warn(message));
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #done = new LRUCache<string, string>({ max: REMEMBERED });
  /** Keys, by id, that another replica writes with; and until when. */
  readonly #truces = new Map<string, number>();
  #isStopped = false;

  /** Does something in the background, once at a time. */
  schedule(name: string, task: () => Promise<unknown>): void {
    if (this.#isStopped || this.#underWay.has(name) || this.#underWay.size >= MOST_AT_ONCE) return;
    const work = this.attempt(task).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, work);
  }

  /** Has a record indexed under the primary key, unless another replica would undo it. */
  scheduleMove({ redisKey, property, keyId }: OutdatedRecord, move: () => Promise<boolean>): void {
    const name = JSON.stringify([redisKey, property]);
    if (this.#isStopped || this.#underWay.has(name)) return;
    if (keyId !== undefined && !this.#isToBeMoved(name, keyId)) return;
    this.schedule(name, async () => {
      if ((await move()) && keyId !== undefined) this.#done.set(name, keyId);
    });
  }

  /** Does something whose failure does no harm. */
  async attempt(task: () => Promise<unknown>): Promise<void> {
    try {
      await task();
    } catch (error) {
      const { message } = toRedisError(error) ?? (error as Error);
      this.#warnings.warn('index', `An entry of a blind index could not be kept up to date: ${message}`);
    }
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#underWay.values());
  }

  /** As when values are encrypted anew: old replicas, which write with another key, would undo what new ones do. */
  #isToBeMoved(name: string, keyId: string): boolean {
    const now = performance.now();
    if (this.#done.get(name) === keyId) {
      this.#done.delete(name);
      this.#truces.set(keyId, now + TRUCE);
    }
    return now >= (this.#truces.get(keyId) ?? 0);
  }
}
