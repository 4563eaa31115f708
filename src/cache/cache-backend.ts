import { Logger } from '@nestjs/common';
import type { EncryptionService } from '../encryption/index.js';
import type { RedisConnection, RedisError } from '../redis/index.js';
import { buildCache } from './build-cache.js';
import type { Cache } from './build-cache.js';
import { cacheChannels } from './cache-events.js';
import { CacheKeys } from './cache-keys.js';
import type { CacheService } from './cache.service.js';
import type { Coherence } from './coherence/coherence.js';
import { createCoherence } from './coherence/probe.js';
import type { Shard } from './coherence/shard.js';
import { LimitedWarnings } from '../logging/limited-warnings.js';
import { CacheConfigurationError } from './options/cache-configuration-error.js';
import type { ResolvedBackendOptions, ResolvedCacheOptions } from './options/resolved-cache-options.js';
import { RedisTier } from './remote/redis-tier.js';
import type { Invalidation } from './remote/pending-invalidations.js';
import { ServerClock } from './server-clock.js';
import { Stamp } from './stamps/stamp.js';
import { Stamps } from './stamps/stamps.js';

/** What the caches of an application share: Redis, what is told of changes in it, and the stamps. */
export class CacheBackend {
  readonly #logger = new Logger('CacheModule');
  readonly #warnings = new LimitedWarnings((message) => this.#logger.warn(message));
  readonly #keys: CacheKeys;
  readonly #clock = new ServerClock();
  readonly #coherence: Coherence;
  readonly #tier: RedisTier | undefined;
  readonly #stamps: Stamps;
  readonly #connection: RedisConnection | undefined;
  readonly #encryption: EncryptionService | undefined;
  readonly #caches = new Map<string, Cache>();
  readonly #stopping = new AbortController();
  /** Undefined until it has been, once. */
  #wasArmed: boolean | undefined;

  /**
   * @param connection undefined: the caches are local only
   * @param encryption for the caches that encrypt
   */
  constructor(
    options: ResolvedBackendOptions,
    connection: RedisConnection | undefined,
    encryption: EncryptionService | undefined,
  ) {
    this.#connection = connection;
    this.#encryption = encryption;
    this.#keys = new CacheKeys(options.namespace);
    this.#coherence = createCoherence(options.coherence, connection, options, {
      changed: (keys) => this.#onChanged(keys),
      lost: (shard) => this.#onLost(shard),
      time: (server, sentAt, receivedAt) => this.#clock.learn(server, sentAt, receivedAt),
    });
    this.#tier =
      connection &&
      new RedisTier(connection, this.#coherence, this.#clock, options, {
        blocked: (node, reason) => this.#onBlocked(node, reason),
        cleared: (node, milliseconds) => this.#onCleared(node, milliseconds),
        refused: (error) => this.#onRefused(error),
        everything: () => this.#everything(),
        floorOf: (key) => this.#stamps.find(key)?.floor ?? 0,
        changed: (keys) => this.#onChanged(keys),
      });
    this.#stamps = new Stamps((key) => this.#newStamp(key));
  }

  /** Makes a cache. @throws CacheConfigurationError when there is one of that name, or it is to encrypt and cannot */
  open(options: ResolvedCacheOptions): CacheService {
    if (this.#caches.has(options.name)) {
      const message = `two caches are called '${options.name}'; give one of them another name`;
      throw new CacheConfigurationError(`Cache '${options.name}'`, [{ option: 'name', message }]);
    }
    const cache = buildCache(options, {
      connection: this.#connection,
      encryption: this.#encryption,
      keys: this.#keys,
      clock: this.#clock,
      coherence: this.#coherence,
      tier: this.#tier,
      stamps: this.#stamps,
      warnings: this.#warnings,
      stopping: this.#stopping.signal,
      invalidateStamp: (stamp) => this.#invalidateStamp(stamp),
    });
    this.#caches.set(options.name, cache);
    return cache.service;
  }

  /** Listens for changes. Resolves also where that is not possible yet. */
  async start(): Promise<void> {
    await this.#coherence.start();
  }

  /** Lets go of everything that would keep the process alive. Factories that are running are not waited for. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The application shuts down'));
    // Nobody else shall wait for what this process makes no more, or read what it has invalidated.
    await Promise.all([...Array.from(this.#caches.values(), (cache) => cache.close()), this.#tier?.flush()]);
    this.#tier?.close();
    await this.#coherence.stop();
  }

  #onChanged(keys: readonly string[]): void {
    this.#tier?.reader.change(keys);
    let isStamp = false;
    for (const key of keys) {
      if (this.#keys.isStamp(key)) {
        isStamp = true;
        this.#stamps.find(key)?.forget();
      } else for (const cache of this.#caches.values()) if (cache.change(key)) break;
    }
    // A factory may yet say that what it makes has a tag.
    if (isStamp) for (const cache of this.#caches.values()) cache.outdateAll();
  }

  #onLost(shard: Shard): void {
    this.#stamps.forget(shard);
    for (const cache of this.#caches.values()) cache.changeAll();
    this.#tellOfCoherence();
  }

  /** Told when changes of any master are missed, and when those of all are told of again. */
  #tellOfCoherence(): void {
    const { armed } = this.#coherence;
    if (armed === this.#wasArmed) return;
    const event = armed ? 'coherence-regained' : 'coherence-lost';
    const isFirst = this.#wasArmed === undefined;
    if (armed || !isFirst) this.#wasArmed = armed;
    if (isFirst || !cacheChannels[event].hasSubscribers) return;
    cacheChannels[event].publish({ connectionId: this.#connection?.id, namespace: this.#keys.namespace });
  }

  #invalidateStamp(stamp: Stamp): void {
    stamp.invalidate();
    for (const cache of this.#caches.values()) cache.outdateAll();
  }

  #newStamp(key: string): Stamp {
    const slot = this.#tier?.slotOf(key) ?? 0;
    const stamp = new Stamp(key, slot, this.#coherence.shardOf(slot));
    // Where there is no Redis, one that nothing depends on may as well begin anew.
    if (!this.#tier) stamp.learn('1', stamp.shard);
    return stamp;
  }

  /** More invalidations than are kept: everything in all caches. */
  #everything(): readonly Invalidation[] {
    this.#warnings.warn(
      'overflow',
      'More invalidations wait for Redis than are kept: everything cached is invalidated instead',
    );
    return Array.from(this.#caches.values(), ({ generation }) => {
      this.#invalidateStamp(generation);
      return { key: generation.key, kind: 'stamp' };
    });
  }

  #onBlocked(node: string, reason: string): void {
    this.#logger.warn(`The cache does without ${this.#label(node)}: ${reason}`);
  }

  #onCleared(node: string, milliseconds: number): void {
    this.#logger.log(`The cache uses ${this.#label(node)} again after ${Math.round(milliseconds)} ms`);
    for (const cache of this.#caches.values()) cache.recover();
  }

  #onRefused(error: RedisError): void {
    this.#warnings.warn(error.code, `Redis refuses a command of the cache: ${error.message}`);
  }

  #label(node: string): string {
    const name = `Redis connection '${this.#connection?.name}'`;
    return node === '' ? name : `${node} of ${name}`;
  }
}
