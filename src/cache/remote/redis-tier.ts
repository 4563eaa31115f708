import type { Cluster, Redis } from 'ioredis';
import { hashSlot, type RedisConnection } from '../../redis/index.js';
import type { Coherence } from '../coherence/coherence.js';
import type { Shard } from '../coherence/shard.js';
import type { ResolvedBackendOptions } from '../options/resolved-cache-options.js';
import type { ServerClock } from '../server-clock.js';
import type { Stamp } from '../stamps/stamp.js';
import { AWAY, type Away } from './away.js';
import { Lanes, mastersOf, type LaneEvents } from './lanes.js';
import { PendingInvalidations, type Invalidation } from './pending-invalidations.js';
import { Reader } from './reader.js';
import { RedisWrites } from './redis-writes.js';

/** After how many milliseconds an invalidation that was not confirmed is sent again. */
const RETRY_INTERVAL = 1_000;

export interface RedisTierHooks extends LaneEvents {
  /** What invalidates everything, in place of more single invalidations than are kept. */
  everything(): readonly Invalidation[];
  /** This process has changed keys of Redis. What it has read of them meanwhile may be older. */
  changed(keys: readonly string[]): void;
}

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
  #retry: NodeJS.Timeout | undefined;

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
    this.isCluster = connection.topology === 'cluster';
    this.pending = new PendingInvalidations(options.pendingInvalidations, () => hooks.everything());
    this.#lanes = new Lanes(connection, options, hooks, {
      recover: (node) => this.#bringUpToDate(node),
      isNeeded: () => this.pending.hasAny(),
    });
    this.writes = new RedisWrites(connection, this.#lanes, clock, options.batchSize);
    this.reader = new Reader(options.batchSize, {
      read: (keys, slot) => this.#read(keys, slot),
      shardOf: (slot) => this.#coherence.shardOf(slot),
      rolledBack: (stamp) => this.#restamp(stamp),
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
    if (invalidations.length === 0) return;
    this.pending.add(invalidations);
    const keys = invalidations.map(({ key }) => key);
    this.reader.change(keys);
    await Promise.all(
      invalidations.map(async (invalidation) => {
        const slot = this.slotOf(invalidation.key);
        const request = { key: invalidation.key, slot, done: () => this.confirm([invalidation]) };
        await this.writes[invalidation.kind].add(request);
      }),
    );
    this.retryPending();
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

  close(): void {
    clearTimeout(this.#retry);
    this.#lanes.close();
  }

  async #read(keys: readonly string[], slot: number): Promise<readonly (Buffer | null)[] | Away> {
    const replies = await this.#lanes
      .of(slot)
      .run(() => this.#connection.client.mgetBuffer(...(keys as [string, ...string[]])));
    if (replies === AWAY || this.pending.size === 0) return replies;
    // What an invalidation has not reached yet is not there for this process.
    return replies.map((reply, position) => (this.pending.has(keys[position]!) ? null : reply));
  }

  /** Sends what has been kept for the master, and once more what a failover may have lost. */
  async #bringUpToDate(node: string): Promise<void> {
    const isGone = !mastersOf(this.#connection).has(node);
    const isOwn = ({ key }: Invalidation) =>
      isGone || (this.#connection.masterOf(this.slotOf(key)) ?? '') === node;
    this.pending.restore(isOwn);
    const own = this.pending.list().filter(isOwn);
    if (!isGone) await pingMaster(this.#connection, node);
    await this.#replay(own);
  }

  async #replayPending(): Promise<void> {
    if (!this.#lanes.areBlocked) await this.#replay(this.pending.list()).catch(() => undefined);
  }

  async #replay(invalidations: readonly Invalidation[]): Promise<void> {
    await this.writes.replay(invalidations, (key) => this.slotOf(key));
    this.confirm(invalidations);
  }

  /** Has invalidations that were too slow, or refused, sent again, while Redis is not given up for all that. */
  retryPending(): void {
    if (this.#retry || this.pending.size === 0) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      void this.#replayPending().then(() => this.retryPending());
    }, RETRY_INTERVAL).unref();
  }

  #restamp(stamp: Stamp): void {
    void this.invalidate([{ key: stamp.key, kind: 'stamp' }]);
  }
}

/** An answer is what shows that the master is back. */
async function pingMaster({ client }: RedisConnection, node: string): Promise<void> {
  const masters = client.isCluster ? (client as Cluster).nodes('master') : [client as Redis];
  const master = masters.find(({ options }) => node === '' || `${options.host}:${options.port}` === node);
  if (!master) throw new Error(`There is no connection to ${node}`);
  await master.ping();
}
