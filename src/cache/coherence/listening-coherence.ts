import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { MasterWatch, RedisConnection, RedisError } from '../../redis/index.js';
import { SLOT_COUNT } from '../../redis/shared.js';
import type { Coherence, CoherenceEvents, CoherenceMode } from './coherence.js';
import { MasterListener } from './master-listener.js';
import { NO_EPOCH, Shard } from './shard.js';

/** How long the start of an application waits for listeners that are neither armed nor refused, in milliseconds. */
const START_TIMEOUT = 2_000;

type Loss = Parameters<CoherenceEvents['lost']>[1];

/** What a coherence that listens is made of. */
export interface ListeningOptions {
  readonly connection: RedisConnection;
  readonly namespace: string;
  readonly events: CoherenceEvents;
  /** Told each time the server does not allow to listen, or does not know how. It is tried again. */
  readonly onRefusal: (refusal: RedisError) => void;
}

/** Learns of changes by listening to every master. How it listens, and what it hears, is a subclass's affair. */
export abstract class ListeningCoherence implements Coherence {
  abstract readonly mode: Exclude<CoherenceMode, 'none'>;
  readonly #options: ListeningOptions;
  readonly #logger = new Logger('CacheModule');
  readonly #shards = new Map<string, Shard>();
  readonly #listeners = new Map<string, MasterListener>();
  /** On a Cluster, by slot. */
  #owners: Shard[] = [];
  /** Of slots without a known owner. */
  readonly #otherwise: Shard;
  /** No two shards are ever in the same epoch. */
  #epoch = NO_EPOCH;
  #watch: MasterWatch | undefined;
  #started: () => void = () => undefined;
  #wasArmed = false;
  #lostAt: number | undefined;

  constructor(options: ListeningOptions) {
    this.#options = options;
    this.#otherwise = this.#shard('');
  }

  /** Has the server tell of changes, on a new connection. Resolves when it does. */
  protected abstract arm(client: Redis): Promise<void>;

  /** The keys that a message tells of; undefined where it may be any. */
  protected abstract read(channel: string, payload: unknown): readonly string[] | undefined;

  /** The name of the shard that a master stands for. */
  protected abstract shardName(node: string): string;

  abstract announce(keys: readonly string[]): void;

  /** Whether it has listened to every master at some time. */
  get wasArmed(): boolean {
    return this.#wasArmed;
  }

  get armed(): boolean {
    return this.#listeners.size > 0 && [...this.#listeners.values()].every(({ armed }) => armed);
  }

  shardOf(slot: number): Shard {
    return this.#owners[slot] ?? this.#otherwise;
  }

  async start(): Promise<void> {
    const { connection } = this.#options;
    const started = new Promise<void>((resolve) => (this.#started = resolve));
    this.#watch = connection.watchMasters({
      added: (client, node) => this.#onAdded(client, node),
      removed: (node) => this.#onRemoved(node),
      slotsChanged: () => this.#onSlots(),
    });
    if (connection.topology === 'cluster' && connection.state !== 'ready') return;
    const timer = setTimeout(this.#started, START_TIMEOUT);
    await started;
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    this.#started();
    await this.#watch?.stop();
  }

  #onAdded(client: Redis, node: string): void {
    const shard = this.#shard(this.shardName(node));
    const listener = new MasterListener(client, {
      arm: (armed) => this.#arm(armed),
      armed: () => this.#onArmed(shard),
      lost: () => this.#onLost(shard),
      failed: (refusal) => this.#onFailed(refusal),
      message: (channel, payload) => this.#onMessage(shard, channel, payload),
    });
    this.#listeners.set(node, listener);
    shard.armed = false;
  }

  #onRemoved(node: string): void {
    const name = this.shardName(node);
    const shard = this.#shard(name);
    this.#listeners.get(node)?.stop();
    this.#listeners.delete(node);
    if (name === node) this.#shards.delete(node);
    shard.armed = name !== node && this.armed;
    this.#renew(shard, 'listener lost');
    this.#report();
  }

  /** Asked for the time first: a connection that has subscribed may not. */
  async #arm(client: Redis): Promise<void> {
    const sentAt = performance.now();
    // Where the ACL does not allow it, the clock is learnt otherwise.
    const time = await client.time().catch(() => undefined);
    if (time) {
      const [seconds, microseconds] = time.map(Number) as [number, number];
      this.#options.events.time(seconds * 1_000 + microseconds / 1_000, sentAt, performance.now());
    }
    await this.arm(client);
  }

  #onArmed(shard: Shard): void {
    shard.armed = this.#isArmed(shard);
    this.#renew(shard, 'listener armed');
    // Keys of the others may have been on this master already, on their way from slot to slot: what they were read in is the epoch of
    // the master that they come from, and what was done to them here was missed.
    this.#renewOthers(shard);
    this.#report();
    if (this.armed) this.#started();
  }

  #onLost(shard: Shard): void {
    shard.armed = false;
    this.#renew(shard, 'listener lost');
    this.#report();
  }

  #onFailed(refusal: RedisError | undefined): void {
    this.#started();
    if (refusal) this.#options.onRefusal(refusal);
  }

  #onMessage(shard: Shard, channel: string, payload: unknown): void {
    const keys = this.read(channel, payload);
    if (!keys) this.#renew(shard, 'flushed');
    else if (keys.length > 0) this.#options.events.changed(keys);
  }

  #onSlots(): void {
    const { connection } = this.#options;
    this.#owners = Array.from({ length: SLOT_COUNT }, (_, slot) => {
      const node = connection.masterOf(slot);
      return node === undefined ? this.#otherwise : this.#shard(this.shardName(node));
    });
    for (const shard of this.#shards.values()) this.#renew(shard, 'slots moved');
  }

  #renewOthers(shard: Shard): void {
    for (const other of this.#shards.values()) if (other !== shard) this.#renew(other, 'slots moved');
  }

  #renew(shard: Shard, reason: Loss): void {
    shard.epoch = ++this.#epoch;
    this.#options.events.lost(shard, reason);
  }

  #isArmed(shard: Shard): boolean {
    const own = [...this.#listeners].filter(([node]) => this.shardName(node) === shard.node);
    return own.length > 0 && own.every(([, { armed }]) => armed);
  }

  #shard(name: string): Shard {
    const existing = this.#shards.get(name);
    if (existing) return existing;
    const shard = new Shard(name);
    shard.epoch = ++this.#epoch;
    this.#shards.set(name, shard);
    return shard;
  }

  /** Says once that changes are missed, and once that they are not any more. */
  #report(): void {
    const { armed } = this;
    if (armed && this.#lostAt !== undefined) {
      this.#logger.log(
        `The cache is told of changes again after ${Math.round(performance.now() - this.#lostAt)} ms`,
      );
      this.#lostAt = undefined;
    }
    if (this.#wasArmed && !armed && this.#lostAt === undefined && this.#listeners.size > 0) {
      this.#lostAt = performance.now();
      const { name } = this.#options.connection;
      this.#logger.warn(
        `The cache is not told of changes by Redis connection '${name}': its local tier is not relied on until it is`,
      );
    }
    this.#wasArmed ||= armed;
  }
}
