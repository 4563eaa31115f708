import type { ChainableCommander } from 'ioredis';
import { toRedisError } from '../../../redis/index.js';
import { backoff } from '../../../timing/backoff.js';
import type { DeadReason } from '../../bus-events.js';
import type { BusParts } from '../../bus-parts.js';
import { describeError, messageOf } from '../../describe-error.js';
import { type Arrival, EventContext } from '../../delivery/event-context.js';
import type { EventHandler } from '../../delivery/event-handler.js';
import { Runner, type Failure } from '../../delivery/runner.js';
import { type Envelope, UnreadableEvent } from '../../events/envelope.js';
import type { EventType } from '../../events/event-type.js';
import type { ResolvedGroupOptions } from '../../options/resolved-options.js';
import { logger } from '../../pubsub-logger.js';
import { commandsOf } from './commit.js';
import { rawOf } from '../fields.js';
import type { Entry } from './entry.js';
import type { GroupServer } from './group-server.js';

/** Milliseconds until what Redis could not be asked or told is tried again. */
const AWAY = 1_000;

/** Handles entries: each attempt, and what comes of it. */
export class EntryHandler {
  readonly #parts: BusParts;
  readonly #type: EventType;
  readonly #options: ResolvedGroupOptions;
  readonly #server: GroupServer;
  readonly #runner: Runner;
  readonly #isCluster: boolean;
  readonly #arrival: Arrival;
  readonly #ownArrival: Arrival;

  constructor(
    parts: BusParts,
    type: EventType,
    server: GroupServer,
    handler: EventHandler,
    options: ResolvedGroupOptions,
  ) {
    this.#parts = parts;
    this.#type = type;
    this.#options = options;
    this.#server = server;
    this.#runner = new Runner(handler, options, parts.events);
    this.#isCluster = parts.connection.topology === 'cluster';
    const commit: Arrival['commit'] = (entry, multi) => this.#commit(entry as Entry, multi);
    this.#arrival = { delivery: 'durable', group: options.group, attempt: 1, isOwn: false, commit };
    this.#ownArrival = { ...this.#arrival, isOwn: true };
  }

  /** Never throws, nor rejects; undefined where it was done at once. */
  handle(entry: Entry): Promise<void> | undefined {
    const { partition } = entry;
    partition.begin();
    if (entry.isNoted || !entry.envelope || this.#options.once > 0)
      return this.#prepare(entry).finally(() => partition.end());
    const done = this.#attempt(entry);
    if (!done) {
      partition.end();
      return undefined;
    }
    return done.finally(() => partition.end());
  }

  /** What has to be asked of Redis first, or told. */
  async #prepare(entry: Entry): Promise<void> {
    const { partition } = entry;
    try {
      if (!entry.envelope && !entry.unreadable && !(await this.#load(entry))) return partition.handled(entry);
      // What was handled beside the one that ended the process has one more chance, alone, even without retries.
      if (entry.attempt > Math.max(this.#options.retries, 1) + 1)
        return await this.#bury(
          entry,
          'failed',
          'Its process ended each time, or lost it, while it was handled',
        );
      if (this.#options.once > 0 && entry.envelope && (await this.#server.isDone(entry.envelope.id)))
        return partition.handled(entry);
      if (entry.isNoted) await this.#server.begin(partition.number, entry.id, entry.attempt);
    } catch (error) {
      if (error instanceof UnreadableEvent) {
        entry.unreadable = error;
        return this.#bury(entry, error.reason, error.message);
      }
      this.#tellLater(entry, error);
      return partition.park(entry, AWAY);
    }
    if (!partition.isGone) await this.#attempt(entry);
  }

  /** @returns whether it is still there */
  async #load(entry: Entry): Promise<boolean> {
    const { partition } = entry;
    const fields = await this.#server.read(partition.number, entry.id);
    if (!fields) return false;
    const raw = rawOf(fields);
    entry.envelope = this.#parts.codec.parse(raw ?? '');
    partition.load(entry, raw?.length ?? 0);
    return true;
  }

  #attempt(entry: Entry): Promise<void> | undefined {
    const { envelope } = entry;
    let event: unknown;
    try {
      if (!envelope) throw entry.unreadable!;
      event = this.#parts.codec.read(this.#type, envelope);
    } catch (error) {
      if (error instanceof UnreadableEvent) return this.#bury(entry, error.reason, error.message);
      throw error;
    }
    const context = new EventContext(envelope, this.#arrivalOf(entry, envelope), entry);
    entry.context = context;
    const outcome = this.#runner.run(event, context);
    if (!(outcome instanceof Promise)) return this.#settle(entry, outcome);
    return outcome.then((failure) => this.#settle(entry, failure));
  }

  /** Most events are handled at their first attempt: what is the same for all of them is made once. */
  #arrivalOf({ attempt }: Entry, { from }: Envelope): Arrival {
    const arrival = from === this.#parts.process ? this.#ownArrival : this.#arrival;
    return attempt === 1 ? arrival : { ...arrival, attempt };
  }

  async #commit(entry: Entry, multi: ChainableCommander): Promise<unknown[] | undefined> {
    const commands = commandsOf(multi, this.#server.keys, this.#isCluster);
    const place = { partition: entry.partition.number, id: entry.id, event: entry.envelope!.id };
    const replies = await this.#server.commit({ ...place, keep: this.#options.once, commands });
    entry.isCommitted = true;
    const failed = replies?.find((reply) => reply instanceof Error);
    if (failed !== undefined) throw toRedisError(failed) ?? failed;
    return replies;
  }

  #settle(entry: Entry, failure: Failure): Promise<void> | undefined {
    const { partition } = entry;
    entry.context = undefined;
    // What was committed is acknowledged, whatever the handler does after it. A failover may have it delivered once more: a second
    // acknowledgement would be for that delivery.
    if (entry.isCommitted) partition.finished(entry);
    else if (!failure) partition.handled(entry);
    if (!failure || entry.isCommitted) return undefined;
    // Whoever has it now handles it, with the attempts that Redis knows of.
    if (partition.isGone) return undefined;
    return this.#failed(entry, failure.error);
  }

  async #failed(entry: Entry, error: unknown): Promise<void> {
    const { retries, backoff: pauses, group } = this.#options;
    if (entry.attempt > retries) return this.#bury(entry, 'failed', describeError(error));
    const delay = backoff(entry.attempt - 1, { first: pauses.initial, longest: pauses.max });
    const { events } = this.#parts;
    events.counts.retried++;
    const { id, topic } = entry.envelope!;
    events.publish('retried', {
      topic,
      id,
      handler: this.#runner.name,
      group,
      attempt: entry.attempt,
      delay,
    });
    const failed = { partition: entry.partition.number, id: entry.id, attempt: entry.attempt, delay };
    // Where Redis cannot be told, this process remembers.
    const told = this.#server.fail(failed).catch(() => undefined);
    entry.attempt++;
    entry.isNoted = true;
    entry.isAlone = false;
    entry.partition.park(entry, delay);
    await told;
  }

  async #bury(entry: Entry, reason: DeadReason, error: string): Promise<void> {
    const { options, events } = this.#parts;
    const { group } = this.#options;
    const attempts = reason === 'failed' ? Math.min(entry.attempt, this.#options.retries + 1) : 0;
    const limits = { maxSize: options.maxSize, maxLetters: options.deadLetters };
    const letter = { partition: entry.partition.number, id: entry.id, reason, error, attempts, ...limits };
    try {
      const isBuried = await this.#server.dead(letter);
      entry.partition.finished(entry);
      if (!isBuried) return;
    } catch (failure) {
      this.#tellLater(entry, failure);
      return entry.partition.later(entry, AWAY, () => void this.#bury(entry, reason, error));
    }
    events.counts.dead++;
    const id = entry.envelope?.id;
    events.publish('dead', { topic: this.#type.topic, id, group, reason, error });
    const which = `'${this.#type.topic}' ${id ?? entry.id}`;
    logger.warn(`${which} went to the dead letters of group '${group}' (${reason}): ${error}`);
  }

  /** Tells what trying again may not help. */
  #tellLater(entry: Entry, error: unknown): void {
    if (toRedisError(error)?.retryable) return;
    const why = messageOf(error);
    logger.error(`Cannot go on with '${this.#type.topic}' ${entry.id} in ${AWAY} ms: ${why}`);
  }
}
