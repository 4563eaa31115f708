import { hashSlot, type RedisConnection } from '../../redis/index.js';
import { isWriteRefusal } from '../../redis/shared.js';
import { cacheChannels } from '../cache-events.js';
import type { Coherence } from '../coherence/coherence.js';
import type { Shard } from '../coherence/shard.js';
import type { ResolvedBackendOptions } from '../options/resolved-cache-options.js';
import type { ServerClock } from '../server-clock.js';
import type { Stamp } from '../stamps/stamp.js';
import { AWAY, type Away } from './away.js';
import { Lanes, mastersOf, pingMaster, type LaneEvents } from './lanes.js';
import { PendingInvalidations, type Invalidation } from './pending-invalidations.js';
import { Reader } from './reader.js';
import { RedisWrites } from './redis-writes.js';
import { Replay } from './replay.js';
import { ValueSize } from './value-size.js';

/** After how many milliseconds an invalidation that was not confirmed is sent again. */
const RETRY_INTERVAL = 1_000;

export interface RedisTierHooks extends LaneEvents {
  /** What invalidates everything, in place of more single invalidations than are kept. */
  everything(): readonly Invalidation[];
  /** The highest number that this process has seen under the key of a stamp; 0 for none. */
  floorOf(key: string): number;
  /** This process has changed keys of Redis. What it has read of them meanwhile may be older. */
  changed(keys: readonly string[]): void;
}

type Replies = readonly (Buffer | null)[];

/** Redis, as the caches see it: reads and writes of one turn of the event loop are sent together, within a time budget, and none rejects. */
export class RedisTier {
  readonly reader: Reader;
  readonly writes: RedisWrites;
  readonly pending: PendingInvalidations;
  readonly isCluster: boolean;
  readonly #connection: RedisConnection;
  readonly #coherence: Coherence;
  readonly #changed: (keys: readonly string[]) => void;
  readonly #lanes: Lanes;
  readonly #budget: number;
  readonly #namespace: string;
  readonly #size = new ValueSize();
  readonly #replay: Replay;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    connection: RedisConnection,
    coherence: Coherence,
    clock: ServerClock,
    options: ResolvedBackendOptions,
    hooks: RedisTierHooks,
  ) {
    this.#connection = connection;
    this.#coherence = coherence;
    this.#changed = (keys) => hooks.changed(keys);
    this.#budget = options.budget;
    this.#namespace = options.namespace;
    this.isCluster = connection.topology === 'cluster';
    this.pending = new PendingInvalidations(options.pendingInvalidations, () => hooks.everything());
    this.#lanes = new Lanes(connection, options, hooks, {
      recover: (node, blockedAt) => this.#bringUpToDate(node, blockedAt),
      lost: (node) => this.#restore(node),
      isNeeded: () => this.pending.hasAny(),
    });
    const floorOf = (key: string) => hooks.floorOf(key);
    const limit = options.batchSize;
    this.writes = new RedisWrites(connection, this.#lanes, { clock, limit, size: this.#size, floorOf });
    this.#replay = new Replay(limit, {
      send: (kind, requests) => this.writes.invalidate(kind, requests),
      slotOf: (key) => this.slotOf(key),
      confirm: (invalidations) => this.confirm(invalidations),
    });
    this.reader = new Reader(limit, {
      read: (keys, slot, settle) => this.#read(keys, slot, settle),
      perCommand: () => this.#size.perCommand,
      shardOf: (slot) => this.#coherence.shardOf(slot),
      rolledBack: (stamp) => this.restamp(stamp),
    });
  }

  get isAvailable(): boolean {
    return !this.#lanes.areBlocked;
  }

  slotOf(key: string): number {
    return this.isCluster ? hashSlot(key) : 0;
  }

  shardOf(slot: number): Shard {
    return this.#coherence.shardOf(slot);
  }

  /**
   * Invalidates keys: now if Redis answers within the budget, and else as soon as it is back, before anything is read from it. Resolves either
   * way.
   */
  async invalidate(invalidations: readonly Invalidation[]): Promise<void> {
    this.#begin(invalidations);
    const sending = invalidations.map(async (each) => {
      if ((await this.#send(each)) === AWAY) this.postpone(each);
    });
    await Promise.all(sending);
  }

  /** As {@link invalidate}, of which nobody is told: Redis did not answer just now. Until it has confirmed them they count as those that wait. */
  invalidateSoon(invalidations: readonly Invalidation[]): void {
    this.#begin(invalidations);
    for (const invalidation of invalidations) {
      this.postpone(invalidation);
      void this.#send(invalidation);
    }
  }

  /** It was too slow, or refused: it is sent again, until it is done. */
  postpone(invalidation: Invalidation): void {
    this.pending.postpone(invalidation);
    this.#retryPending();
  }

  /** An entry is in place of what would have been removed. */
  settle(invalidation: Invalidation): void {
    this.pending.settle(invalidation);
    this.announce([invalidation.key]);
  }

  /** Redis has an older one than this process has seen: one that nothing has recorded takes its place. */
  restamp({ key }: Stamp): void {
    if (!this.pending.has(key)) void this.invalidate([{ key, kind: 'stamp' }]);
  }

  /** They have happened, however late: who looked before that may have seen what was. */
  confirm(invalidations: readonly Invalidation[]): void {
    if (invalidations.length === 0) return;
    this.pending.confirm(invalidations);
    this.announce(invalidations.map(({ key }) => key));
  }

  /**
   * Tells of keys that this process has changed, when it has happened: itself, since what it has read meanwhile may be older, and where the
   * server does not, the others.
   */
  announce(keys: readonly string[]): void {
    this.#changed(keys);
    this.#coherence.announce(keys);
  }

  /** Sends what waits once more, within the budget, before the end. */
  async flush(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.#budget)));
    await Promise.race([this.#replayPending(), late]);
    clearTimeout(timer);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#lanes.close();
  }

  #begin(invalidations: readonly Invalidation[]): void {
    this.pending.begin(invalidations);
    this.reader.change(invalidations.map(({ key }) => key));
  }

  #send(invalidation: Invalidation): Promise<void | Away> {
    const { key, kind } = invalidation;
    return this.writes[kind].add({ key, slot: this.slotOf(key), done: () => this.confirm([invalidation]) });
  }

  /** Without promises of its own: a lone read waits for each of them. */
  #read(keys: readonly string[], slot: number, settle: (replies: Replies | Away) => void): void {
    const lane = this.#lanes.of(slot);
    const sentAt = cacheChannels.read.hasSubscribers && !lane.isBlocked ? performance.now() : undefined;
    lane.start({
      bytes: keys.length * this.#size.average,
      send: () => this.#connection.client.mgetBuffer(...(keys as [string, ...string[]])),
      settle: (replies) => {
        if (replies !== AWAY) this.#learnSize(replies);
        if (sentAt !== undefined) this.#tellOfRead(keys.length, sentAt, replies !== AWAY);
        settle(replies === AWAY || this.pending.isEmpty ? replies : this.#withoutPending(keys, replies));
      },
      // The next ones are asked for in smaller parts, and given the time that they take.
      late: (replies) => this.#learnSize(replies),
    });
  }

  /** What an invalidation has not reached yet is not there for this process. */
  #withoutPending(keys: readonly string[], replies: Replies): Replies {
    return replies.map((reply, position) => (this.pending.has(keys[position]!) ? null : reply));
  }

  #tellOfRead(keys: number, sentAt: number, answered: boolean): void {
    const took = performance.now() - sentAt;
    cacheChannels.read.publish({
      connectionId: this.#connection.id,
      namespace: this.#namespace,
      keys,
      took,
      answered,
    });
  }

  #learnSize(values: Replies): void {
    let bytes = 0;
    for (const value of values) if (value) bytes += value.length;
    this.#size.learn(bytes, values.length);
  }

  /** Sends what has been kept for the master, and once more what a failover may have lost. */
  async #bringUpToDate(node: string, blockedAt: number): Promise<void> {
    const isGone = !mastersOf(this.#connection).has(node);
    if (isGone) this.pending.restore(() => true, blockedAt);
    // Also those wait by then that were given up together with the master.
    else await pingMaster(this.#connection, node);
    try {
      await this.#replay.run(this.pending.list().filter(({ key }) => isGone || this.#isOf(key, node)));
    } catch (error) {
      // They wait, and who reads here knows of them.
      if (!isWriteRefusal(error)) throw error;
    }
    this.#retryPending();
  }

  /** What the master was told of last is told of again. */
  #restore(node: string): void {
    this.pending.restore(({ key }) => this.#isOf(key, node));
    this.#retryPending();
  }

  #isOf(key: string, node: string): boolean {
    return (this.#connection.masterOf(this.slotOf(key)) ?? '') === node;
  }

  async #replayPending(): Promise<void> {
    const open = this.pending.list().filter(({ key }) => !this.#lanes.of(this.slotOf(key)).isBlocked);
    await this.#replay.run(open).catch(() => undefined);
  }

  #retryPending(): void {
    if (this.#retry || this.#isClosed || this.pending.size === 0) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.#replayPending().then(() => this.#retryPending());
    }, RETRY_INTERVAL).unref();
  }
}
