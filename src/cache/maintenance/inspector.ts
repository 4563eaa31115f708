import type { CacheParts } from '../cache-parts.js';
import type { Found } from '../lookup/found.js';
import { Lookup } from '../lookup/lookup.js';
import type { CacheInspection, CacheStats } from '../options/cache-options.js';

const STATES = {
  fresh: 'fresh',
  stale: 'stale',
  unsure: 'stale',
  invalid: 'invalidated',
  none: 'missing',
  away: 'missing',
} as const;

/** Looks into a cache without changing it. */
export class Inspector {
  readonly #parts: CacheParts;
  readonly #lookup: Lookup;
  /** Reads past the local tier, so that nothing is kept there. */
  readonly #passing: Lookup;
  /** Looks here only. */
  readonly #here: Lookup;
  readonly #isCoherent: () => boolean;

  constructor(parts: CacheParts, lookup: Lookup, isCoherent: () => boolean) {
    this.#parts = parts;
    this.#lookup = lookup;
    this.#passing = new Lookup(Object.create(parts, { local: { value: undefined } }) as CacheParts);
    this.#here = new Lookup(Object.create(parts, { tier: { value: undefined } }) as CacheParts);
    this.#isCoherent = isCoherent;
  }

  async inspect(key: string): Promise<CacheInspection> {
    const local = this.#lookup.believed(key, performance.now());
    const { status, entry, leaseToken } = await this.#look(key);
    const place = { key, redisKey: this.#parts.prefix + key, local: local !== undefined };
    const state = { ...place, state: STATES[status], leased: leaseToken !== '' };
    if (!entry) return state;
    const now = this.#parts.clock.now();
    return {
      ...state,
      age: Math.max(0, now - entry.born),
      freshFor: Math.max(0, entry.freshUntil - now),
      staleFor: Math.max(0, entry.staleUntil - now),
      cost: entry.cost,
      size: entry.size,
      kind: entry.kind,
      tags: entry.tags,
    };
  }

  /** While Redis is away there is what is here: it is not asked again. */
  async #look(key: string): Promise<Found> {
    const found = this.#parts.tier ? await this.#passing.read(key) : undefined;
    return found && found.status !== 'away' ? found : this.#here.find(key);
  }

  stats(): CacheStats {
    const { counters, local, tier } = this.#parts;
    return {
      ...counters.counts(),
      localEntries: local?.size ?? 0,
      localBytes: local?.bytes ?? 0,
      pendingInvalidations: tier?.pending.size ?? 0,
      shared: tier !== undefined,
      available: tier?.isAvailable ?? false,
      coherent: this.#isCoherent(),
    };
  }
}
