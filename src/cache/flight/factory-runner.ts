import { setMaxListeners } from 'node:events';
import { CacheSerializationError } from '../cache-errors.js';
import type { CacheParts } from '../cache-parts.js';
import type { GetOrSetOptions, NegativeCachingOptions } from '../options/cache-options.js';
import { lifetimesOf, negativeCachingOf, type Lifetimes } from '../options/call-options.js';
import type { Lookup } from '../lookup/lookup.js';
import { AWAY, type Away } from '../remote/away.js';
import type { StampKeeper } from '../stamps/stamp-keeper.js';
import type { EntryWriter, NewEntry } from '../store/entry-writer.js';
import { EntryDrafter, type Dependencies, type Result } from './entry-drafter.js';
import { FactoryRun, type FactoryWishes } from './factory-run.js';
import type { Flight, Outcome } from './flight.js';
import type { Leases } from './leases.js';
import type { Making } from './value-maker.js';

/** A lease that was granted. */
interface HeldLease {
  /** The server's time, from before the factory runs. */
  readonly born: number;
  readonly before: Dependencies;
  /** What there is, if that is of no use to anybody: its time of birth. */
  readonly useless: number | undefined;
  /** Told when it was used, or given back. */
  readonly ended: () => void;
}

/** What is being stored under a lease, with whether it was; undefined for nothing, `AWAY` where Redis did not answer in time before. */
type Storing = Promise<boolean | Away> | Away | undefined;

/** Runs factories and stores what they give. */
export class FactoryRunner {
  readonly #parts: CacheParts;
  readonly #lookup: Lookup;
  readonly #writer: EntryWriter;
  readonly #drafter: EntryDrafter;
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
    this.#drafter = new EntryDrafter(parts, lookup, keeper);
    this.#signal = signal;
    // Any number of factories may listen.
    setMaxListeners(0, signal);
  }

  /** As {@link EntryDrafter.dependOn}. */
  dependOn(options: GetOrSetOptions | undefined): Dependencies | Promise<Dependencies | Away> {
    return this.#drafter.dependOn(options);
  }

  /**
   * Runs the factory under a lease, and has what it gives stored while that stands. Its caller need not wait for that: the value is on its
   * way, before whatever the caller asks of Redis next.
   *
   * @throws what the factory throws
   */
  async runLeased(making: Making, leases: Leases, lease: HeldLease): Promise<Outcome> {
    const { flight } = making;
    let result: Result | undefined;
    let storing: Storing;
    try {
      flight.begin();
      result = await this.#run(making, lease.born);
      const drafting = this.#drafter.draft(making, result, lease.before);
      const drafted = drafting instanceof Promise ? await drafting : drafting;
      if (drafted === AWAY) storing = AWAY;
      const entry = drafted === AWAY ? undefined : drafted;
      const writing = entry && this.#recordOf(entry);
      const record = writing instanceof Promise ? await writing : writing;
      if (entry && record) {
        storing = this.#writer.storeLeased(entry, record, flight);
        await this.#parts.tier?.writes.sent();
      }
      return outcomeOf(result, entry);
    } finally {
      const ended = this.#endLease(making, leases, lease, { result, storing });
      if (storing instanceof Promise) flight.stored = ended;
      // Who wants what there is to be replaced is told when it is.
      if (shallReplace(making, result)) await ended;
    }
  }

  async #endLease(
    making: Making,
    leases: Leases,
    { useless, ended }: HeldLease,
    { result, storing }: { result: Result | undefined; storing: Storing },
  ): Promise<void> {
    const { flight, key } = making;
    const stored = storing && (await this.#isStored(key, storing));
    if (stored === true) leases.drop(flight);
    else {
      const released = leases.release(flight, storing ? undefined : { useless });
      // A lease that did not stand any longer was voided by something newer. Redis is not waited for twice.
      if (shallReplace(making, result)) {
        const stood = stored === AWAY ? AWAY : await released;
        if (stood !== false) this.#remove(key, stood === AWAY ? 'silent' : 'there');
      }
    }
    ended();
  }

  /** Its callers were given the value: of an error nobody else hears. */
  async #isStored(key: string, storing: Exclude<Storing, undefined>): Promise<boolean | Away> {
    try {
      return await storing;
    } catch (error) {
      this.#parts.counters.fail({ operation: 'store', key, error });
      return false;
    }
  }

  /** Runs the factory without regard to other processes, and without Redis. What it gives stays in this one. */
  async runAlone(making: Making): Promise<Outcome> {
    const { options, key, flight } = making;
    const stamps = this.#lookup.stampsOf(options?.tags ?? []);
    const before = { stamps, recorded: stamps.map(({ recent }) => recent) };
    flight.begin();
    const result = await this.#run(making, this.#parts.clock.now());
    const entry = this.#drafter.draftAlone(making, result, before);
    const isKept = entry !== undefined && flight.isCertain && (await this.#keepLocally(entry, flight));
    const isOlderLeft = this.#parts.tier !== undefined || (!isKept && flight.isCertain);
    if (isOlderLeft && shallReplace(making, result)) this.#remove(key);
    return outcomeOf(result, entry);
  }

  /** What could not be replaced must not be taken for the new value. Until Redis is back nobody here is given it, either. */
  #remove(key: string, redis: 'there' | 'silent' = 'silent'): void {
    const { tier, local, prefix } = this.#parts;
    if (!tier || this.#lookup.believed(key, performance.now())) local?.delete(key);
    const removal = { key: prefix + key, kind: 'remove' } as const;
    // What waits for Redis is counted, and too much of it invalidates everything.
    if (redis === 'silent') tier?.invalidateSoon([removal]);
    else void tier?.invalidate([removal]);
  }

  async #run({ key, factory, options, flight }: Making, born: number): Promise<Result> {
    const { counters } = this.#parts;
    if (flight.fallback) counters.refresh(key);
    else counters.miss(key);
    counters.runFactory();
    const lifetimes = lifetimesOf(options, this.#parts.options);
    const run = new FactoryRun(key, this.#staleValue(flight), this.#signal);
    const { wishes } = run;
    const began = performance.now();
    try {
      const value = await factory(run);
      const cost = performance.now() - began;
      counters.endFactory(key, cost);
      const kind = value === undefined ? 'undefined' : 'value';
      return { kind, value, born, began, cost, lifetimes: wished(lifetimes, wishes), wishes };
    } catch (error) {
      const cost = performance.now() - began;
      counters.failFactory(key, cost);
      const caching = negativeCachingOf(options, this.#parts.options);
      // A value that still stands in is worth more than the error.
      if (!caching || this.#canStandIn(flight) || !this.#isCached(key, error, caching.when)) throw error;
      const short = { ttl: caching.ttl, stale: 0, jitter: 0 };
      return { kind: 'error', value: error, born, began, cost, lifetimes: short, wishes };
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

  #recordOf(entry: NewEntry): Buffer | undefined | Promise<Buffer | undefined> {
    try {
      const record = this.#writer.recordOf(entry);
      return record instanceof Promise
        ? record.catch((error: unknown) => this.#forgive(entry, error))
        : record;
    } catch (error) {
      return this.#forgive(entry, error);
    }
  }

  async #keepLocally(entry: NewEntry, flight: Flight): Promise<boolean> {
    try {
      await this.#writer.keepLocally(entry, () => flight.isCertain);
      return true;
    } catch (error) {
      this.#forgive(entry, error);
      return false;
    }
  }

  /** A value that cannot be encoded is no reason to keep it from its caller. */
  #forgive({ key }: NewEntry, error: unknown): undefined {
    if (!(error instanceof CacheSerializationError)) throw error;
    this.#parts.counters.fail({ operation: 'store', key, error });
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
