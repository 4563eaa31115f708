import { setMaxListeners } from 'node:events';
import { CacheSerializationError } from '../cache-errors.js';
import type { CacheParts } from '../cache-parts.js';
import type { EntryDraft } from '../entry/entry-serializer.js';
import type { GetOrSetOptions, NegativeCachingOptions } from '../options/cache-options.js';
import { lifetimesOf, negativeCachingOf, type Lifetimes } from '../options/call-options.js';
import type { Lookup } from '../lookup/lookup.js';
import type { Stamp } from '../stamps/stamp.js';
import type { Beginning, StampKeeper } from '../stamps/stamp-keeper.js';
import type { EntryWriter, NewEntry } from '../store/entry-writer.js';
import { FactoryRun, type FactoryWishes } from './factory-run.js';
import type { Flight, Outcome } from './flight.js';
import type { Leases } from './leases.js';
import type { Making } from './value-maker.js';

/** What a run of a factory has given. */
interface Result {
  readonly kind: EntryDraft['kind'];
  readonly value: unknown;
  readonly born: number;
  /** The same moment, by `performance.now()`. */
  readonly began: number;
  /** Milliseconds that it took. */
  readonly cost: number;
  readonly lifetimes: Lifetimes;
  readonly wishes: FactoryWishes;
}

/** The stamps that an entry depends on, and as they were before its factory ran. */
export interface Dependencies {
  readonly stamps: readonly Stamp[];
  readonly recorded: readonly number[];
}

/** Runs factories and stores what they give. */
export class FactoryRunner {
  readonly #parts: CacheParts;
  readonly #lookup: Lookup;
  readonly #writer: EntryWriter;
  readonly #keeper: StampKeeper;
  readonly #signal: AbortSignal;

  /** @param signal aborted at shutdown */
  constructor(
    parts: CacheParts,
    lookup: Lookup,
    writer: EntryWriter,
    { keeper, signal }: { keeper: StampKeeper; signal: AbortSignal },
  ) {
    this.#parts = parts;
    this.#lookup = lookup;
    this.#writer = writer;
    this.#keeper = keeper;
    this.#signal = signal;
    // Any number of factories may listen.
    setMaxListeners(0, signal);
  }

  /** Has the stamps that the entry will depend on made ready. They have to be known before the factory runs. */
  async dependOn(options: GetOrSetOptions | undefined): Promise<Dependencies> {
    const { ttl, stale } = lifetimesOf(options, this.#parts.options);
    const stamps = this.#lookup.stampsOf(options?.tags ?? []);
    return { stamps, recorded: await this.#keeper.ensure(stamps, ttl + stale) };
  }

  /**
   * Runs the factory under a lease, and stores what it gives while that stands.
   *
   * @param born the server's time, from before the factory runs
   * @throws what the factory throws
   */
  async runLeased(
    making: Making,
    leases: Leases,
    lease: { born: number; before: Dependencies },
  ): Promise<Outcome> {
    const { flight, key } = making;
    let isStored = false;
    let result: Result | undefined;
    try {
      flight.begin();
      result = await this.#run(making, lease.born);
      const made = result;
      const entry = await this.#entryOf(making, made, lease.before);
      isStored =
        entry !== undefined && (await this.#guarded(key, () => this.#writer.storeLeased(entry, flight)));
      return outcomeOf(result, entry);
    } finally {
      if (isStored) leases.drop(flight.token);
      else {
        // Nobody who waits for the value waits for that, too.
        const released = leases.release(this.#parts.prefix + key, flight.token);
        // A lease that did not stand any longer was voided by something newer.
        if (shallReplace(making, result) && (await released) !== false) this.#remove(key);
      }
    }
  }

  /** Runs the factory without regard to other processes, since Redis is away or there is none. What it gives stays in this one. */
  async runAlone(making: Making): Promise<Outcome> {
    const { options, key, flight } = making;
    const stamps = this.#lookup.stampsOf(options?.tags ?? []);
    const before = { stamps, recorded: stamps.map(({ recent }) => recent) };
    flight.begin();
    const result = await this.#run(making, this.#parts.clock.now());
    const entry = await this.#entryOf(making, result, before);
    const isKept =
      entry !== undefined &&
      flight.isCertain &&
      (await this.#guarded(key, async () => {
        await this.#writer.keepLocally(entry, () => flight.isCertain);
        return true;
      }));
    const isOlderLeft = this.#parts.tier !== undefined || (!isKept && flight.isCertain);
    if (isOlderLeft && shallReplace(making, result)) this.#remove(key);
    return outcomeOf(result, entry);
  }

  /** What could not be replaced must not be taken for the new value. Until Redis is back nobody here is given it, either. */
  #remove(key: string): void {
    const { tier, local, prefix } = this.#parts;
    if (!tier || this.#lookup.believed(key, performance.now())) local?.delete(key);
    void tier?.invalidate([{ key: prefix + key, kind: 'remove' }]);
  }

  async #run({ key, factory, options, flight }: Making, born: number): Promise<Result> {
    const { counters } = this.#parts;
    if (flight.fallback) counters.refresh(key);
    else counters.miss(key);
    counters.runFactory();
    const lifetimes = lifetimesOf(options, this.#parts.options);
    const run = new FactoryRun(key, this.#staleValue(flight), this.#signal);
    const began = performance.now();
    const made = { born, began, wishes: run.wishes };
    try {
      const value = await factory(run);
      const cost = performance.now() - began;
      counters.endFactory(key, cost);
      const kind = value === undefined ? 'undefined' : 'value';
      return { ...made, kind, value, cost, lifetimes: wished(lifetimes, run.wishes) };
    } catch (error) {
      const cost = performance.now() - began;
      counters.failFactory(key, cost);
      const caching = negativeCachingOf(options, this.#parts.options);
      // A value that still stands in is worth more than the error.
      if (!caching || this.#canStandIn(flight) || !this.#isCached(key, error, caching.when)) throw error;
      const short = { ttl: caching.ttl, stale: 0, jitter: 0 };
      return { ...made, kind: 'error', value: error, cost, lifetimes: short };
    }
  }

  /** An error of the question must not take the place of the factory's own. */
  #isCached(key: string, failure: unknown, when: NegativeCachingOptions['when']): boolean {
    try {
      return when?.(failure) !== false;
    } catch (error) {
      this.#parts.counters.fail({ operation: 'errors.when', key, error });
      return false;
    }
  }

  #staleValue({ fallback }: Flight): unknown {
    const entry = fallback?.entry;
    if (!entry || entry.kind === 'error') return undefined;
    return this.#parts.local ? this.#parts.local.valueOf(entry) : entry.value;
  }

  #canStandIn({ fallback }: Flight): boolean {
    const entry = fallback?.entry;
    return entry !== undefined && entry.kind !== 'error' && this.#parts.clock.now() < entry.staleUntil;
  }

  /** What is to be stored; undefined where nothing is. */
  async #entryOf(
    { key, options }: Making,
    { kind, value, born, began, cost, lifetimes, wishes }: Result,
    before: Dependencies,
  ): Promise<NewEntry | undefined> {
    const { ttl, stale, jitter } = lifetimes;
    if (wishes.isSkipped || ttl + stale <= 0) return undefined;
    const early = options?.tags ?? [];
    const late = [...new Set(wishes.tags)].filter((tag) => !early.includes(tag));
    const { stamps, recorded } = await this.#addLate(before, late, ttl + stale, { born, began });
    const freshUntil = this.#parts.clock.now() + ttl * (1 - jitter * Math.random());
    const draft = { kind, value, born, freshUntil, staleUntil: freshUntil + stale, cost };
    return { key, draft: { ...draft, tags: [...early, ...late], stamps: recorded }, stamps };
  }

  /** The stamp of the generation stands last. Those from before are kept longer where the factory has asked for a longer life. */
  async #addLate(
    before: Dependencies,
    tags: readonly string[],
    lifetime: number,
    began: Beginning,
  ): Promise<Dependencies> {
    const lengthening = this.#keeper.keep(before.stamps, lifetime);
    if (tags.length === 0) return lengthening.then(() => before);
    const stamps = this.#lookup.stampsOf(tags).slice(0, -1);
    const [recorded] = await Promise.all([this.#keeper.ensureLate(stamps, lifetime, began), lengthening]);
    return {
      stamps: [...before.stamps.slice(0, -1), ...stamps, ...before.stamps.slice(-1)],
      recorded: [...before.recorded.slice(0, -1), ...recorded, ...before.recorded.slice(-1)],
    };
  }

  /** A value that cannot be encoded is no reason to keep it from its caller. */
  async #guarded(key: string, store: () => Promise<boolean>): Promise<boolean> {
    try {
      return await store();
    } catch (error) {
      if (!(error instanceof CacheSerializationError)) throw error;
      this.#parts.counters.fail({ operation: 'store', key, error });
      return false;
    }
  }
}

/** Whether there must be nothing older, even where what was made is not stored. */
function shallReplace({ found }: Making, result: Result | undefined): boolean {
  return found === undefined && result !== undefined && result.kind !== 'error' && !result.wishes.isSkipped;
}

function wished(lifetimes: Lifetimes, { ttl, stale }: FactoryWishes): Lifetimes {
  return { ttl: ttl ?? lifetimes.ttl, stale: stale ?? lifetimes.stale, jitter: lifetimes.jitter };
}

/** @throws the factory's error, if that is what it gave */
function outcomeOf({ kind, value, born }: Result, entry: NewEntry | undefined): Outcome {
  if (kind === 'error') throw value;
  return { value, status: 'miss', born, freshUntil: entry?.draft.freshUntil ?? 0 };
}
