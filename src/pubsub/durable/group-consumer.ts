import { settlesBefore } from '../../timing/settles-before.js';
import { Signal } from '../../timing/signal.js';
import type { BusParts } from '../bus-parts.js';
import type { EventHandler } from '../delivery/event-handler.js';
import type { EventType } from '../events/event-type.js';
import type { ResolvedGroupOptions } from '../options/resolved-options.js';
import { logger } from '../pubsub-logger.js';
import { EntryFactory } from './group/entry-factory.js';
import type { Entry } from './group/entry.js';
import { EntryHandler } from './group/entry-handler.js';
import { GroupServer, isMissingGroup } from './group/group-server.js';
import { Membership } from './group/membership.js';
import { Partition } from './group/partition.js';
import { Reader, type Readable } from './group/reader.js';
import { Recovery } from './group/recovery.js';
import type { OwnReply } from './group/scripts.js';
import { Work } from './group/work.js';

/** How long an entry must have been pending, in milliseconds, before it counts as delivered in a reply that was lost. */
const LOST = 3_000;
/** How long handlers have to learn that they are not waited for any longer, in milliseconds. */
const LAST_MOMENT = 50;

/** A consumer of a group: it owns a share of the topic's partitions, reads them, has their events handled and acknowledges them. */
export class GroupConsumer {
  readonly #parts: BusParts;
  readonly #type: EventType;
  readonly #options: ResolvedGroupOptions;
  readonly #server: GroupServer;
  readonly #membership: Membership;
  readonly #reader: Reader;
  readonly #recovery: Recovery;
  readonly #entries: EntryFactory;
  readonly #work: Work;
  readonly #partitions = new Map<number, Partition>();
  #count: number;
  /** In how many of them the group was made. */
  #made: number;
  #reading: Promise<void> | undefined;
  readonly #changes = new Signal();
  #isStopping = false;

  constructor(parts: BusParts, type: EventType, handler: EventHandler, options: ResolvedGroupOptions) {
    this.#parts = parts;
    this.#type = type;
    this.#options = options;
    this.#count = this.#made = type.partitions;
    const server = new GroupServer(parts, type.topic, options.group);
    const entryHandler = new EntryHandler(parts, type, server, handler, options);
    this.#server = server;
    this.#entries = new EntryFactory(parts.codec, options);
    this.#work = new Work(options.concurrency, (entry) => this.#handle(entryHandler, entry));
    this.#membership = new Membership(server, parts.options.lease, {
      partitions: () => this.#count,
      held: () => this.owned,
      owned: (reply) => this.#owned(reply),
      expired: () => this.#expired(),
    });
    this.#recovery = new Recovery(server, {
      recovered: (partition, entry, now) => this.#entries.recovered(partition, entry, now),
      missing: () => this.#ensure(),
      done: () => this.#changes.tell(),
    });
    this.#reader = new Reader(server, {
      partitions: () => this.#readable(),
      changed: () => this.#changes.wait(),
      connected: () => this.#recoverAll(),
      read: (partition, id, fields) => this.#entries.read(partition, id, fields),
      missing: () => this.#ensure(),
    });
  }

  /** The partitions that it owns. */
  get owned(): readonly number[] {
    return [...this.#partitions.keys()];
  }

  /** Makes the group, if there is none, and joins it. @throws RedisError */
  async start(): Promise<void> {
    // Of a group that is there, a partition without it is one that was added: what is in it, nobody has handled.
    const from = (await this.#server.isKnown()) ? '0' : this.#options.from;
    await this.#server.ensure(numbers(this.#count), from);
    await this.#membership.join();
    this.#reading = this.#reader.run();
  }

  /**
   * Reads no more, waits for the handlers that run, and leaves the group. What they have not finished, and what was not begun, is handled by
   * others. Never rejects.
   *
   * @param deadline `performance.now()`; then their signals are aborted
   */
  async stop(deadline: number): Promise<void> {
    this.#isStopping = true;
    this.#membership.prepareToLeave();
    this.#reader.stop();
    this.#changes.tell();
    const partitions = [...this.#partitions.values()];
    for (const partition of partitions) partition.leave();
    if (!(await this.#drained(partitions, deadline))) {
      const reason = new DOMException('The application shuts down', 'AbortError');
      for (const partition of partitions) partition.abort(reason);
      await this.#drained(partitions, performance.now() + LAST_MOMENT);
    }
    for (const partition of partitions) partition.drop(undefined);
    this.#partitions.clear();
    await this.#reading;
    await this.#membership.leave(this.#count);
  }

  #handle(handler: EntryHandler, entry: Entry): Promise<void> | undefined {
    const { partition } = entry;
    // Left to others: they find it among what is pending.
    if (partition.isGone || partition.state === 'leaving') return undefined;
    if (this.#membership.isCertain) return handler.handle(entry);
    this.#expired();
    return undefined;
  }

  #owned({ partitions, share, owned }: OwnReply): void {
    this.#count = partitions;
    // A reply from before may tell of some while it stops.
    for (const number of this.#isStopping ? [] : owned)
      if (!this.#partitions.has(number)) this.#acquired(number);
    for (const number of this.#partitions.keys()) if (!owned.includes(number)) this.#lost(number);
    // Others have less than theirs.
    const surplus = owned.length - share;
    for (const number of surplus > 0 ? owned.slice(-surplus) : []) this.#partitions.get(number)?.leave();
    void this.#reconcile();
  }

  #acquired(number: number): void {
    const partition = new Partition(number, {
      ready: (entry) => this.#work.add(entry),
      acknowledge: (entries) => this.#acknowledge(number, entries),
      changed: () => this.#settled(partition),
    });
    this.#partitions.set(number, partition);
    this.#tell(number, 'acquired');
    void this.#recovery.recover(partition);
  }

  #lost(number: number): void {
    const partition = this.#partitions.get(number)!;
    this.#partitions.delete(number);
    const isGivenBack = partition.state === 'leaving' && partition.isIdle;
    this.#tell(number, isGivenBack ? 'released' : 'lost');
    this.#reader.lost(partition);
    partition.drop(new DOMException('Another replica has taken the event over', 'AbortError'));
  }

  #expired(): void {
    const lost = this.owned;
    if (lost.length === 0) return;
    for (const number of lost) this.#lost(number);
    const which = `${lost.length} partitions of '${this.#type.topic}', group '${this.#options.group}'`;
    logger.warn(`The lease of ${which} was not renewed in time; others may handle their events`);
  }

  /** A partition that is to be left is given back when the last handler is done. */
  #settled(partition: Partition): void {
    this.#changes.tell();
    if (partition.state !== 'leaving' || !partition.isIdle || partition.isGone) return;
    if (this.#partitions.get(partition.number) === partition) this.#membership.give(partition.number);
  }

  #readable(): Readable {
    const staying = [...this.#partitions.values()].filter(({ state }) => state !== 'leaving');
    const { certainFor } = this.#membership;
    if (certainFor === 0) return { readable: [], areAll: false, certainFor };
    const readable = staying.filter((partition) => partition.state === 'reading' && partition.room() > 0);
    return { readable, areAll: readable.length === staying.length, certainFor };
  }

  async #acknowledge(number: number, entries: readonly Entry[]): Promise<void> {
    const keep = this.#options.once;
    const ids = entries.map(({ id }) => id);
    try {
      if (keep === 0 && !entries.some(({ isNoted }) => isNoted)) return await this.#server.ack(number, ids);
      const events = keep > 0 ? entries.map(({ id, envelope }) => envelope?.id ?? id) : [];
      await this.#server.ackNoted({ partition: number, ids, events, keep });
    } catch (error) {
      // With the group, what was pending is gone.
      if (!isMissingGroup(error)) throw error;
    }
  }

  #recoverAll(): void {
    for (const partition of this.#partitions.values())
      if (partition.state !== 'leaving') void this.#recovery.recover(partition);
  }

  /** A reply may be lost although its connection is not: the server was stopped, or this process. */
  async #reconcile(): Promise<void> {
    const partitions = [...this.#partitions.values()].filter(({ state }) => state === 'reading');
    if (partitions.length === 0) return;
    const before = partitions.map(({ size }) => size);
    const pending = await this.#server.pending(partitions.map(({ number }) => number)).catch(() => undefined);
    for (const [index, partition] of partitions.entries()) {
      if (!pending || partition.state !== 'reading' || partition.isGone) continue;
      if (pending[index]! > Math.max(before[index]!, partition.size))
        void this.#recovery.recover(partition, LOST);
    }
  }

  async #ensure(): Promise<void> {
    const [made, all] = [this.#made, numbers(this.#count)];
    const wasGone = await this.#server.ensure(all.slice(0, made), '0');
    await this.#server.ensure(all.slice(made), '0');
    this.#made = all.length;
    if (!wasGone) return;
    const { topic } = this.#type;
    logger.warn(
      `Group '${this.#options.group}' of '${topic}' was gone, and is made again: all events that are kept are handled again`,
    );
  }

  async #drained(partitions: readonly Partition[], deadline: number): Promise<boolean> {
    while (partitions.some((partition) => !partition.isIdle && !partition.isGone)) {
      if (performance.now() >= deadline) return false;
      await settlesBefore(this.#changes.wait(), deadline, 'free');
    }
    return true;
  }

  #tell(partition: number, change: 'acquired' | 'released' | 'lost'): void {
    const { topic } = this.#type;
    this.#parts.events.publish('partition', { topic, group: this.#options.group, partition, change });
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}
