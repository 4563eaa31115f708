import { LimitedWarnings } from '../../logging/limited-warnings.js';
import { RedisError, RedisWrongTypeError, toRedisError } from '../../redis/index.js';
import { settlesBefore } from '../../timing/settles-before.js';
import { logger } from '../encryption-logger.js';
import { showKeyId } from '../keys/key-id.js';
import { Truces } from './truces.js';

/** How much is under way at a time. What is beyond that is done when it is seen next. */
const MOST_AT_ONCE = 64;
/** Milliseconds after a failure in which nothing is tried: a replica, or a server whose memory is full, refuses the next one too. */
const PAUSE = 1_000;
/** Milliseconds that a shutdown waits for what is under way. */
const STOP_TIMEOUT = 1_000;

/** Something that is to be put in order. */
interface Work {
  /** What it is done to: never twice at a time. */
  readonly name: string;
  /** What to say where it fails. */
  readonly fault: string;
}

/** Something that is under another key than the primary one. */
interface Renewal extends Work {
  /** undefined for what is under none. */
  readonly keyId: number | undefined;
}

/** Puts in order what was found out of order by those who read and write, who do not wait for it. What fails is warned of: it will be seen again. */
export class BackgroundWork {
  readonly #warnings = new LimitedWarnings((message) => logger.warn(message));
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #truces = new Truces();
  #pausedUntil = -Infinity;
  #isStopped = false;

  /** Does something, unless as much as may be is under way. */
  schedule(work: Work, run: () => Promise<unknown>): void {
    if (!this.#takes(work)) return;
    const task = this.#attempt(work.fault, run).then((error) => {
      this.#underWay.delete(work.name);
      // What the application's own code throws is no reason to spare Redis, nor is what stands at one key.
      if (error instanceof RedisError && !(error instanceof RedisWrongTypeError))
        this.#pausedUntil = performance.now() + PAUSE;
    });
    this.#underWay.set(work.name, task);
  }

  /** As {@link schedule}, unless another process would undo it. @param run whether it was done */
  scheduleRenewal(renewal: Renewal, run: () => Promise<boolean>): void {
    const { keyId, name } = renewal;
    if (keyId === undefined) return this.schedule(renewal, run);
    if (this.#truces.holds(keyId) || !this.#takes(renewal) || this.#isUndone(name, keyId)) return;
    this.schedule(renewal, async () => {
      if (await run()) this.#truces.remember(name, keyId);
    });
  }

  /** Does something whose failure does no harm, and waits for it. */
  async attempt(fault: string, run: () => Promise<unknown>): Promise<void> {
    await this.#attempt(fault, run);
  }

  /** Waits for what is under way, but not for a Redis that does not answer. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#underWay.size === 0) return;
    await settlesBefore(Promise.all(this.#underWay.values()), performance.now() + STOP_TIMEOUT);
  }

  /** @returns why it was not done */
  async #attempt(fault: string, run: () => Promise<unknown>): Promise<unknown> {
    try {
      await run();
      return undefined;
    } catch (thrown) {
      const error = toRedisError(thrown) ?? thrown;
      // At shutdown the connection was closed: whoever sees it next will see to it.
      if (!this.#isStopped) this.#warnings.warn(fault, `${fault}: ${messageOf(error)}`);
      return error;
    }
  }

  #takes({ name }: Work): boolean {
    if (this.#isStopped || performance.now() < this.#pausedUntil) return false;
    return this.#underWay.size < MOST_AT_ONCE && !this.#underWay.has(name);
  }

  #isUndone(name: string, keyId: number): boolean {
    if (!this.#truces.beginIfBack(name, keyId)) return false;
    logger.log(
      `Another process writes with key ${showKeyId(keyId)}: what is under it is left as it is for ten minutes`,
    );
    return true;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no error was thrown, but something else';
}
