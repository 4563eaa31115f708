import { RedisError, toRedisError } from '../../redis/index.js';
import { isWriteRefusal, type SocketProgress } from '../../redis/shared.js';
import { AWAY, type Away } from './away.js';
import { Deadline, Deadlines } from './deadline.js';
import { Meter } from './meter.js';

/** A way that is blocked again within so many milliseconds is tried less and less often: the server is slow, rather than away. */
const RELAPSE = 5_000;
const MOST_DOUBLINGS = 4;

/** How long, in milliseconds, the attempt to use Redis again may take. */
const RECOVERY_TIMEOUT = 1_000;

export interface LaneOptions {
  /** Milliseconds that an operation may take. */
  readonly budget: number;
  /** Operations in a row that may fail before the lane closes. */
  readonly breakerFailures: number;
  /** Milliseconds after which it is tried again. */
  readonly breakerRetry: number;
}

/** What is sent to a master, and what is done with the answer. */
export interface Operation<T> {
  send(): Promise<T>;
  /** That are sent, or will come, where they may be many. */
  readonly bytes: number;
  /** Called once, maybe at once. */
  settle(result: T | Away): void;
  /** Told of an answer that comes when the time was over. */
  late?(reply: T): void;
}

export interface LaneHooks {
  isConnected(): boolean;
  /** Of the connection to the master. */
  progress(): SocketProgress;
  /**
   * Asks the master something, and brings it up to date.
   *
   * @param blockedAt since when (`performance.now()`) nothing was sent
   * @throws when it cannot
   */
  recover(blockedAt: number): Promise<void>;
  blocked(reason: string): void;
  cleared(milliseconds: number): void;
  /** An operation failed for a reason other than that Redis is away. */
  refused(error: RedisError): void;
}

/**
 * The way to one master: gives each operation a time budget, and is a circuit breaker (M. Nygard, "Release It!", 2007). While it is
 * blocked, nothing is sent and every operation is answered at once; whether Redis is back is found out in the background, so that no
 * caller is kept waiting for it.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #hooks: LaneHooks;
  readonly #meter: Meter;
  readonly #deadlines: Deadlines;
  #failures = 0;
  #blockedAt: number | undefined;
  #isTold = false;
  #clearedAt = -Infinity;
  #relapses = 0;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: LaneOptions, hooks: LaneHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#meter = new Meter(() => hooks.progress());
    this.#deadlines = new Deadlines(options.budget, this.#meter);
  }

  get isBlocked(): boolean {
    return this.#blockedAt !== undefined;
  }

  /** As {@link start}, for who waits with a promise: it never rejects. @param bytes that are sent, or will come, where they may be many */
  run<T>(send: () => Promise<T>, bytes = 0): Promise<T | Away> {
    return new Promise((settle) => this.start({ send, bytes, settle }));
  }

  /**
   * Settles within the budget; within ten where large values are on their way. What is late is not taken back: it may still take
   * effect.
   */
  start<T>(operation: Operation<T>): void {
    if (this.isBlocked || this.#isClosed) return operation.settle(AWAY);
    if (!this.#hooks.isConnected()) {
      this.block('not connected');
      return operation.settle(AWAY);
    }
    const now = performance.now();
    const { bytes } = operation;
    const burst = this.#meter.begin(bytes, now);
    const deadline = new Deadline(burst, (isBusy) => {
      operation.settle(AWAY);
      if (!isBusy) this.#fail(`no answer within ${this.#options.budget} ms`);
    });
    this.#deadlines.set(deadline, now);
    sent(operation).then(
      (reply) => {
        this.#meter.end(bytes);
        this.#meter.answer(burst);
        if (!this.#deadlines.clear(deadline)) return operation.late?.(reply);
        this.#failures = 0;
        operation.settle(reply);
      },
      (error: unknown) => {
        this.#meter.end(bytes);
        if (!this.#deadlines.clear(deadline)) return;
        operation.settle(AWAY);
        this.fail(error);
      },
    );
  }

  /** Sends nothing more until Redis has been found to answer. */
  block(reason: string): void {
    if (this.isBlocked || this.#isClosed) return;
    this.#blockedAt = performance.now();
    this.#failures = 0;
    this.#tell(reason);
    const isRelapse = performance.now() - this.#clearedAt < RELAPSE;
    this.#relapses = isRelapse ? this.#relapses + 1 : 0;
    // After a pause it answers the question as soon as it goes on.
    if (this.#relapses === 0 && this.#hooks.isConnected()) void this.#try();
    else this.#tryLater();
  }

  /** Sends nothing until the master is up to date. That takes a moment, and is told of only if it takes longer. */
  catchUp(): void {
    if (this.isBlocked || this.#isClosed) return;
    this.#blockedAt = performance.now();
    void this.#try();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
  }

  /** An operation, or a part of one, was answered with an error. */
  fail(error: unknown): void {
    const redisError = toRedisError(error);
    if (redisError && (!redisError.retryable || isWriteRefusal(error)))
      return this.#hooks.refused(redisError);
    this.#fail(redisError?.message ?? String(error));
  }

  #fail(reason: string): void {
    if (++this.#failures >= this.#options.breakerFailures || !this.#hooks.isConnected()) this.block(reason);
  }

  #tryLater(): void {
    if (this.#isClosed) return;
    const delay = this.#options.breakerRetry * 2 ** Math.min(this.#relapses, MOST_DOUBLINGS);
    this.#retry = setTimeout(() => void this.#try(), delay).unref();
  }

  async #try(): Promise<void> {
    if (!this.#hooks.isConnected()) {
      this.#tell('not connected');
      return this.#tryLater();
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer')), RECOVERY_TIMEOUT).unref();
    });
    try {
      await Promise.race([this.#hooks.recover(this.#blockedAt ?? performance.now()), late]);
      this.#clear();
    } catch (error) {
      this.#tell(toRedisError(error)?.message ?? String(error));
      this.#tryLater();
    } finally {
      clearTimeout(timer);
    }
  }

  #clear(): void {
    if (this.#blockedAt === undefined || this.#isClosed) return;
    const blockedFor = performance.now() - this.#blockedAt;
    this.#blockedAt = undefined;
    this.#clearedAt = performance.now();
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#hooks.cleared(blockedFor);
  }

  #tell(reason: string): void {
    if (this.#isTold || this.#isClosed) return;
    this.#isTold = true;
    this.#hooks.blocked(reason);
  }
}

/** What is thrown, as by a connection that is closed, is a failure like others. */
function sent<T>(operation: Operation<T>): Promise<T> {
  try {
    return operation.send();
  } catch (error) {
    return Promise.reject(error);
  }
}
