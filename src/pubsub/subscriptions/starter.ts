import { setTimeout as sleep } from 'node:timers/promises';
import { RedisError, toRedisError, type RedisConnection } from '../../redis/index.js';
import { backoff, type Pauses } from '../../timing/backoff.js';
import { TimeLimit } from '../../timing/time-limit.js';
import { EventBusClosedError } from '../pubsub-errors.js';
import { logger } from '../pubsub-logger.js';
import type { Intake } from './intake.js';
import type { Subscriptions } from './subscriptions.js';

/** Between two tries to subscribe. */
const PAUSES: Pauses = { first: 200, longest: 5_000 };

/** Starts subscriptions, and tries again in the background where Redis is away. */
export class Starter {
  readonly #connection: RedisConnection;
  readonly #subscriptions: Subscriptions;
  readonly #stopping = new AbortController();
  readonly #limit: TimeLimit;

  /** @param timeout milliseconds until Redis counts as away */
  constructor(connection: RedisConnection, subscriptions: Subscriptions, timeout: number) {
    this.#connection = connection;
    this.#subscriptions = subscriptions;
    this.#limit = new TimeLimit(timeout);
  }

  /**
   * Starts what an application has from its start on. Where Redis is away, as it may be with `startup: 'optional'`, resolves all the same, and
   * tries on.
   *
   * @throws the cause, where one cannot be started for another reason
   */
  async startAll(intakes: readonly Intake[]): Promise<void> {
    if (intakes.length === 0) return;
    const absence = await this.#absence();
    if (absence) return this.#startLater(intakes, absence);
    const outcomes = await Promise.allSettled(intakes.map((intake) => this.#subscriptions.start(intake)));
    const missing = intakes.filter((_, index) => outcomes[index]!.status === 'rejected');
    const failures = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
    const serious = failures.find((failure) => !this.#isAway(failure));
    if (serious) throw serious;
    if (failures[0]) this.#startLater(missing, failures[0]);
  }

  /**
   * Starts one that nobody waits for. Where that fails, it is tried again until it stands or is closed.
   *
   * @param told what the log says already of why it does not stand
   */
  async startSoon(intake: Intake, told?: string): Promise<void> {
    const { signal } = this.#stopping;
    let last = told;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.#subscriptions.start(intake);
        return;
      } catch (error) {
        if (error instanceof EventBusClosedError) return;
        const { message } = error as Error;
        if (message !== last && !(last !== undefined && this.#isPassing(error as Error, failures)))
          logger.error(`${intake.name} is not subscribed to '${intake.topic}' yet, trying again: ${message}`);
        last = message;
      }
      await sleep(backoff(failures, PAUSES), undefined, { ref: false, signal }).catch(() => undefined);
    }
  }

  /** Does not try any more. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Why Redis cannot be asked; undefined where it can. */
  async #absence(): Promise<RedisError | undefined> {
    const { client, state } = this.#connection;
    if (state === 'ready') return undefined;
    try {
      await this.#limit.apply(client.ping());
      return undefined;
    } catch (error) {
      const cause = toRedisError(error);
      return cause?.retryable ? (this.#connection.error ?? cause) : undefined;
    }
  }

  #isAway(error: Error): boolean {
    return error instanceof RedisError && error.retryable && this.#connection.state !== 'ready';
  }

  /** That the connection is away, its own log says; the first try may have begun while it was. */
  #isPassing(error: Error, failures: number): boolean {
    return this.#isAway(error) || (failures === 0 && error instanceof RedisError && error.retryable);
  }

  #startLater(intakes: readonly Intake[], { message }: Error): void {
    const what = intakes.length === 1 ? '1 subscription is' : `${intakes.length} subscriptions are`;
    logger.warn(`Redis is away; ${what} made as soon as it is there: ${message}`);
    void Promise.all(intakes.map((intake) => this.startSoon(intake, message))).then(() => {
      if (!this.#stopping.signal.aborted) logger.log('All subscriptions stand now');
    });
  }
}
