import type { CacheParts } from '../cache-parts.js';
import { checkKey } from '../entry/check-key.js';
import type { Flights } from '../flight/flights.js';
import type { Lookup } from '../lookup/lookup.js';
import type { SetOptions } from '../options/cache-options.js';
import { checkSetOptions, lifetimesOf } from '../options/call-options.js';
import { AWAY } from '../remote/away.js';
import { NO_STAMP } from '../stamps/stamp.js';
import type { StampKeeper } from '../stamps/stamp-keeper.js';
import type { EntryWriter } from './entry-writer.js';

/** Stores values that the application gives. */
export class Setter {
  readonly #parts: CacheParts;
  readonly #lookup: Lookup;
  readonly #writer: EntryWriter;
  readonly #flights: Flights;
  readonly #keeper: StampKeeper;

  constructor(
    parts: CacheParts,
    {
      lookup,
      writer,
      flights,
      keeper,
    }: { lookup: Lookup; writer: EntryWriter; flights: Flights; keeper: StampKeeper },
  ) {
    this.#parts = parts;
    this.#lookup = lookup;
    this.#writer = writer;
    this.#flights = flights;
    this.#keeper = keeper;
  }

  /** @throws CacheValueTooLargeError, CacheSerializationError: the others are stored all the same; TypeError for what is no key, before any is */
  async set(
    entries: readonly (readonly [string, unknown])[],
    options: SetOptions | undefined,
  ): Promise<void> {
    for (const [key] of entries) checkKey(key);
    checkSetOptions(options, this.#parts.options);
    const { ttl, stale, jitter } = lifetimesOf(options, this.#parts.options);
    const tags = [...new Set(options?.tags)];
    const stamps = this.#lookup.stampsOf(tags);
    const ensured = await this.#keeper.ensure(stamps, ttl + stale);
    const recorded = ensured === AWAY ? stamps.map(() => NO_STAMP) : ensured;
    const born = this.#parts.clock.now();
    const outcomes = await Promise.allSettled(
      entries.map(([key, value]) => {
        this.#flights.outdate(key);
        const freshUntil = born + ttl * (1 - jitter * Math.random());
        const kind = value === undefined ? ('undefined' as const) : ('value' as const);
        const times = { born, freshUntil, staleUntil: freshUntil + stale, cost: 0 };
        return this.#writer.set({ key, draft: { kind, value, ...times, tags, stamps: recorded }, stamps });
      }),
    );
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
  }
}
