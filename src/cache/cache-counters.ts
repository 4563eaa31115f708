import type { Channel } from 'node:diagnostics_channel';
import { cacheChannels, type CacheEvents } from './cache-events.js';

/** Who tells of an event. */
export interface CacheIdentity {
  readonly connectionId: string | undefined;
  readonly namespace: string;
  readonly cache: string;
}

type Details<Event extends keyof CacheEvents> = Omit<CacheEvents[Event], keyof CacheIdentity>;

/** Counts what happens in a cache, and tells of it on `diagnostics_channel` where anybody listens. */
export class CacheCounters {
  readonly #identity: CacheIdentity;
  #localHits = 0;
  #redisHits = 0;
  #staleHits = 0;
  #misses = 0;
  #factoryRuns = 0;
  #factoryErrors = 0;
  #stores = 0;
  #invalidations = 0;
  #evictions = 0;
  #errors = 0;

  constructor(identity: CacheIdentity) {
    this.#identity = identity;
  }

  counts() {
    return {
      localHits: this.#localHits,
      redisHits: this.#redisHits,
      staleHits: this.#staleHits,
      misses: this.#misses,
      factoryRuns: this.#factoryRuns,
      factoryErrors: this.#factoryErrors,
      stores: this.#stores,
      invalidations: this.#invalidations,
      evictions: this.#evictions,
      errors: this.#errors,
    };
  }

  runFactory(): void {
    this.#factoryRuns++;
  }

  endFactory(key: string, took: number): void {
    this.#tellOfFactory(key, took, false);
  }

  failFactory(key: string, took: number): void {
    this.#factoryErrors++;
    this.#tellOfFactory(key, took, true);
  }

  hitLocally(key: string): void {
    this.#localHits++;
    if (cacheChannels.hit.hasSubscribers) this.#publish(cacheChannels.hit, { key, tier: 'local' });
  }

  hitInRedis(key: string): void {
    this.#redisHits++;
    if (cacheChannels.hit.hasSubscribers) this.#publish(cacheChannels.hit, { key, tier: 'redis' });
  }

  serveStale(key: string): void {
    this.#staleHits++;
    if (cacheChannels.stale.hasSubscribers) this.#publish(cacheChannels.stale, { key });
  }

  miss(key: string): void {
    this.#misses++;
    if (cacheChannels.miss.hasSubscribers) this.#publish(cacheChannels.miss, { key });
  }

  refresh(key: string): void {
    if (cacheChannels.refresh.hasSubscribers) this.#publish(cacheChannels.refresh, { key });
  }

  store(key: string, bytes: number): void {
    this.#stores++;
    if (cacheChannels.store.hasSubscribers) this.#publish(cacheChannels.store, { key, bytes });
  }

  evict(key: string): void {
    this.#evictions++;
    if (cacheChannels.evict.hasSubscribers) this.#publish(cacheChannels.evict, { key });
  }

  invalidate(what: Details<'invalidate'>): void {
    this.#invalidations++;
    if (cacheChannels.invalidate.hasSubscribers) this.#publish(cacheChannels.invalidate, what);
  }

  fail(failure: Details<'error'>): void {
    this.#errors++;
    if (cacheChannels.error.hasSubscribers) this.#publish(cacheChannels.error, failure);
  }

  #tellOfFactory(key: string, took: number, failed: boolean): void {
    if (cacheChannels.factory.hasSubscribers) this.#publish(cacheChannels.factory, { key, took, failed });
  }

  #publish(to: Channel, details: object): void {
    to.publish({ ...this.#identity, ...details });
  }
}
