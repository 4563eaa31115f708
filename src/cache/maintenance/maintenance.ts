import { parseDuration } from '../../redis/index.js';
import type { CacheParts } from '../cache-parts.js';
import type { Flights } from '../flight/flights.js';
import type { MaintenanceOptions, SweepOptions, WarmOptions } from '../options/cache-options.js';
import type { Invalidator } from '../store/invalidator.js';
import { globToRegExp } from './glob.js';
import type { Sweeper } from './sweeper.js';

/** What is done to many entries at a time, and takes long. */
export class Maintenance {
  readonly #parts: CacheParts;
  readonly #flights: Flights;
  readonly #invalidator: Invalidator;
  readonly #sweeper: Sweeper | undefined;

  /** @param sweeper undefined where there is no Redis */
  constructor(parts: CacheParts, flights: Flights, invalidator: Invalidator, sweeper: Sweeper | undefined) {
    this.#parts = parts;
    this.#flights = flights;
    this.#invalidator = invalidator;
    this.#sweeper = sweeper;
  }

  async clear(options: MaintenanceOptions = {}): Promise<void> {
    await this.#invalidator.invalidateAll();
    await this.#sweeper?.byPattern('*', options);
  }

  async deleteByPattern(pattern: string, options: MaintenanceOptions = {}): Promise<number> {
    const removedHere = this.#removeLocally(globToRegExp(pattern));
    if (this.#sweeper) return this.#sweeper.byPattern(pattern, options, (keys) => this.#tellOf(keys));
    this.#tellOf(removedHere);
    return removedHere.length;
  }

  async *keys(pattern: string): AsyncGenerator<string[], void> {
    if (this.#sweeper) return yield* this.#sweeper.keys(pattern);
    const keys = this.#localKeys(globToRegExp(pattern));
    if (keys.length > 0) yield keys;
  }

  async sweep({ olderThan, ...options }: SweepOptions): Promise<number> {
    const bornBefore = this.#parts.clock.now() - parseDuration(olderThan, 'olderThan');
    if (this.#sweeper) return this.#sweeper.byAge(bornBefore, options, (keys) => this.#tellOf(keys));
    const removed = this.#parts.local?.deleteBornBefore(bornBefore) ?? [];
    this.#tellOf(removed);
    return removed.length;
  }

  /** @param load fills the cache with some keys */
  async warm(
    keys: readonly string[],
    load: (batch: string[]) => Promise<unknown>,
    options: WarmOptions = {},
  ): Promise<void> {
    const { onProgress, signal } = options;
    const size = checkCount(options.batch ?? 100, 'batch');
    let next = 0;
    let done = 0;
    const work = async (): Promise<void> => {
      while (next < keys.length) {
        signal?.throwIfAborted();
        const batch = keys.slice(next, (next += size));
        await load(batch);
        done += batch.length;
        onProgress?.({ done, total: keys.length });
      }
    };
    const workers = Array.from({ length: checkCount(options.concurrency ?? 4, 'concurrency') }, () => work());
    const outcomes = await Promise.allSettled(workers);
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
  }

  #tellOf(keys: readonly string[]): void {
    if (keys.length > 0) this.#parts.counters.invalidate({ keys });
  }

  #localKeys(pattern: RegExp): string[] {
    return [...(this.#parts.local?.keys() ?? [])].filter((key) => pattern.test(key));
  }

  #removeLocally(pattern: RegExp): readonly string[] {
    const keys = this.#localKeys(pattern);
    for (const key of keys) this.#parts.local?.delete(key);
    this.#flights.outdateAll();
    return keys;
  }
}

/** @throws TypeError for what is no number of things */
function checkCount(value: number, option: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new TypeError(`${option}: ${String(value)} is not a number of 1 or more`);
}
