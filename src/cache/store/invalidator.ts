import type { CacheParts } from '../cache-parts.js';
import { checkKeys } from '../entry/check-key.js';
import type { Flights } from '../flight/flights.js';
import { checkTags } from '../options/call-options.js';
import type { Invalidation } from '../remote/pending-invalidations.js';
import { AWAY } from '../remote/away.js';
import type { Stamp } from '../stamps/stamp.js';

/** Takes back what is cached: in this process at once, in Redis and the others as soon as Redis can be reached. */
export class Invalidator {
  readonly #parts: CacheParts;
  readonly #flights: Flights;
  readonly #invalidateStamp: (stamp: Stamp) => void;

  /** @param invalidateStamp has this process forget at once what depends on a stamp, in all caches */
  constructor(parts: CacheParts, flights: Flights, invalidateStamp: (stamp: Stamp) => void) {
    this.#parts = parts;
    this.#flights = flights;
    this.#invalidateStamp = invalidateStamp;
  }

  async delete(keys: readonly string[]): Promise<void> {
    const { counters, tier, prefix } = this.#parts;
    checkKeys(keys);
    this.#forget(keys);
    await tier?.invalidate(keys.map((key) => ({ key: prefix + key, kind: 'remove' })));
    counters.invalidate({ keys });
  }

  /** While Redis is away, it is as {@link delete}. */
  async expire(keys: readonly string[]): Promise<void> {
    const { counters, tier, prefix, local, clock } = this.#parts;
    checkKeys(keys);
    if (!tier) {
      for (const key of keys) local?.expire(key, clock.now());
      for (const key of keys) this.#flights.outdate(key);
    } else {
      this.#forget(keys);
      const redisKeys = keys.map((key) => prefix + key);
      tier.reader.change(redisKeys);
      const outcomes = await Promise.all(
        redisKeys.map((key) => tier.writes.expire.add({ key, slot: tier.slotOf(key) })),
      );
      const missed = redisKeys.filter((_, position) => outcomes[position] === AWAY);
      // Redis is not waited for twice: for this process they are gone already.
      tier.invalidateSoon(missed.map((key) => ({ key, kind: 'remove' })));
      tier.announce(redisKeys);
    }
    counters.invalidate({ keys });
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    const { stamps, keys, counters } = this.#parts;
    checkTags(tags, 'tags');
    await this.#invalidate([...new Set(tags)].map((tag) => stamps.get(keys.tag(tag))));
    counters.invalidate({ tags });
  }

  /** Invalidates everything in the cache. */
  async invalidateAll(): Promise<void> {
    const { local, generation, counters } = this.#parts;
    local?.clear();
    await this.#invalidate([generation]);
    counters.invalidate({ everything: true });
  }

  #forget(keys: readonly string[]): void {
    for (const key of keys) {
      this.#parts.local?.delete(key);
      this.#flights.outdate(key);
    }
  }

  /** What is being made may depend on them: which, is known when it is made. */
  async #invalidate(stamps: readonly Stamp[]): Promise<void> {
    for (const stamp of stamps) this.#invalidateStamp(stamp);
    const invalidations = stamps.map(({ key }): Invalidation => ({ key, kind: 'stamp' }));
    await this.#parts.tier?.invalidate(invalidations);
  }
}
