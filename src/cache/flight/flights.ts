import { settlesBefore } from '../../timing/settles-before.js';
import type { CacheParts } from '../cache-parts.js';
import { checkKey } from '../entry/check-key.js';
import type { CacheEntry } from '../entry/entry.js';
import { isServable, mayBeServed, type Found } from '../lookup/found.js';
import type { Lookup } from '../lookup/lookup.js';
import type { Factory, GetOrSetOptions } from '../options/cache-options.js';
import { checkGetOrSetOptions, checkTags, patienceOf, timeoutsOf } from '../options/call-options.js';
import { CacheFactoryTimeoutError } from '../cache-errors.js';
import { hitOf, outcomeOf } from './entry-outcome.js';
import { Flight, type Outcome } from './flight.js';
import { newToken } from './leases.js';
import { RetryThrottle } from './retry-throttle.js';
import type { Making, ValueMaker } from './value-maker.js';

/** When a caller began to look, and the flight of its key as it was then. */
interface Seen {
  readonly at: number;
  readonly flight: Flight | undefined;
  readonly changes: number;
}

/** Values that are being made: one flight for a key, which all callers of this process share. */
export class Flights {
  readonly #parts: CacheParts;
  readonly #lookup: Lookup;
  readonly #maker: ValueMaker;
  readonly #flights = new Map<string, Flight>();
  readonly #throttle: RetryThrottle;
  /** Those that another has taken the place of. What they make may be stored yet, so they have to be told of changes too. */
  readonly #replaced = new Map<string, Set<Flight>>();

  constructor(parts: CacheParts, lookup: Lookup, maker: ValueMaker) {
    this.#parts = parts;
    this.#lookup = lookup;
    this.#maker = maker;
    this.#throttle = new RetryThrottle(parts.options.refreshRetry);
  }

  /**
   * The value of a key: found, or made by the factory once for all that ask.
   *
   * @param found what a look at the cache has given, where the caller has looked already
   * @throws what the factory throws, CacheFactoryTimeoutError
   */
  async resolve(
    key: string,
    factory: Factory<unknown>,
    options: GetOrSetOptions | undefined,
    found?: Found,
  ): Promise<Outcome> {
    if (options?.forceRefresh) {
      checkKey(key);
      checkGetOrSetOptions(options, this.#parts.options);
      return this.#wait(this.#start({ key, factory, options, found: undefined }), options, undefined);
    }
    if (options?.tags) checkTags(options.tags, 'tags');
    const flight = this.#flights.get(key);
    if (flight?.isCertain && !found && !flight.isMade && this.#isCurrent(flight) && this.#isNeeded(flight))
      return this.#wait(flight, options, flight.fallback);
    const seen: Seen = { at: performance.now(), flight, changes: flight?.changes ?? 0 };
    const known = found ?? (await this.#lookup.find(key, options?.tags));
    if (known.status === 'fresh' && known.entry) {
      this.refreshEarly(key, factory, options, known.entry);
      return hitOf(this.#parts, key, known.entry, known.tier);
    }
    checkGetOrSetOptions(options, this.#parts.options);
    if (mayBeServed(known) && this.#isTooEarly(key, known)) return this.#stale(key, known.entry);
    return this.#wait(
      this.#join(key, known, seen) ?? this.#start({ key, factory, options, found: known }),
      options,
      isServable(known) ? known : undefined,
    );
  }

  /**
   * Makes a fresh value again in the background, with a probability that grows as its end nears, so that at the end it is there already
   * (XFetch; see the option `earlyRefresh`).
   */
  refreshEarly(
    key: string,
    factory: Factory<unknown>,
    options: GetOrSetOptions | undefined,
    entry: CacheEntry,
  ): void {
    const factor = options?.earlyRefresh ?? this.#parts.options.earlyRefresh;
    const flight = this.#flights.get(key);
    if (factor === 0 || entry.kind === 'error' || (flight && !flight.isMade)) return;
    const ahead = -entry.cost * factor * Math.log(Math.random());
    if (this.#parts.clock.now() + ahead < entry.freshUntil) return;
    const local = this.#parts.local?.get(key);
    // Nobody else needs to hear of it: who asks meanwhile finds the fresh value.
    const found = { status: 'stale', entry, tier: 'local', local, leaseToken: '' } as const;
    if (!this.#isTooEarly(key, found)) this.#start({ key, factory, options, found });
  }

  /** The key has changed, whoever did it: what is being made may be out of date. */
  change(key: string): void {
    this.#flights.get(key)?.doubt();
    for (const flight of this.#replaced.get(key) ?? []) flight.doubt();
  }

  /** The key was invalidated: what is being made is out of date. */
  outdate(key: string): void {
    this.#throttle.forget(key);
    this.#flights.get(key)?.revoke();
    for (const flight of this.#replaced.get(key) ?? []) flight.revoke();
  }

  /** Something was invalidated that any value may depend on: which do is known only when they are made. */
  outdateAll(): void {
    for (const flight of this.#flights.values()) flight.outdate();
    for (const flights of this.#replaced.values()) for (const flight of flights) flight.outdate();
  }

  #isTooEarly(key: string, { local }: Found): boolean {
    return this.#throttle.holds(key) || (local !== undefined && performance.now() < local.refreshAt);
  }

  /** Where nobody tells of invalidations, a flight is believed for as long as a local entry. */
  #isCurrent(flight: Flight): boolean {
    const { changes, maxAge } = this.#parts;
    if (flight.isOverdue) return false;
    return changes !== 'unknown' || !flight.isOlderThan(maxAge);
  }

  /**
   * Whether a look at the cache would find nothing better than a flight: what could be served when it began still can, as far as is known
   * without asking, and is not a fresh value that is only being made early.
   */
  #isNeeded({ fallback, revocations }: Flight): boolean {
    const entry = fallback?.entry;
    if (!entry) return true;
    const now = this.#parts.clock.now();
    if (now < entry.freshUntil || now >= entry.staleUntil || revocations > 0) return false;
    return this.#lookup.areBelieved(entry);
  }

  /** A flight that may be joined: nothing has changed since it began, it began after the caller, or its lease was found to stand. */
  #join(key: string, found: Found, seen: Seen): Flight | undefined {
    const flight = this.#flights.get(key);
    if (!flight || !this.#isCurrent(flight)) return undefined;
    // What it has made is in Redis by now, or was not to be stored; unless Redis could not be asked.
    if (flight.isMade && found.status !== 'away' && found.status !== 'unsure') return undefined;
    if (flight.isCertain) return flight;
    if (flight.isOutdated) return undefined;
    if (flight.hasBegunSince(seen.at)) return flight;
    if (flight.token !== found.leaseToken) return undefined;
    // The lease may have been voided after it was read: what has been told of meanwhile goes for those who come later.
    if (flight === seen.flight) flight.confirm(seen.changes);
    return flight;
  }

  #start(making: Omit<Making, 'flight'>): Flight {
    const { key, factory, options, found } = making;
    const flight = new Flight(key, this.#parts.prefix + key, {
      token: newToken(),
      fallback: isServable(found) ? found : undefined,
      patience: patienceOf(options, this.#parts.options),
    });
    const replaced = this.#flights.get(key);
    replaced?.doubt(); // what it makes is not the newest any more
    if (replaced) this.#replaced.set(key, (this.#replaced.get(key) ?? new Set()).add(replaced));
    this.#flights.set(key, flight);
    flight.made = this.#make({ key, factory, options, found, flight });
    flight.made.catch(() => undefined); // told to those that wait for it
    return flight;
  }

  async #make(making: Making): Promise<Outcome> {
    const { flight } = making;
    // Not before it is in its place: a factory may run at once, and ask for the same key.
    await Promise.resolve();
    try {
      checkGetOrSetOptions(making.options, this.#parts.options);
      return await this.#maker.make(making);
    } catch (error) {
      this.#reportFailure(making, error);
      throw error;
    } finally {
      if (flight.stored) void flight.stored.then(() => this.#end(flight));
      else this.#end(flight);
    }
  }

  #end(flight: Flight): void {
    const { key } = flight;
    const replaced = this.#replaced.get(key);
    if (replaced?.delete(flight) && replaced.size === 0) this.#replaced.delete(key);
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  /** @param fallback what may be served instead to this caller, who may have come later than others */
  async #wait(
    flight: Flight,
    options: GetOrSetOptions | undefined,
    fallback: Found | undefined,
  ): Promise<Outcome> {
    const { key } = flight;
    const { softTimeout, hardTimeout } = timeoutsOf(options, this.#parts.options);
    const isStaleEnough = mayBeServed(fallback);
    if (isStaleEnough && softTimeout === 0) return this.#stale(key, fallback.entry);
    const { revocations } = flight;
    /** By now it may be past its time, or invalidated. */
    const standIn = (): CacheEntry | undefined =>
      flight.revocations === revocations && this.#canStandIn(fallback?.entry) ? fallback?.entry : undefined;
    const began = performance.now();
    const timeouts = isStaleEnough ? [softTimeout, hardTimeout] : [hardTimeout];
    try {
      for (const timeout of timeouts) {
        if (timeout === undefined || (await settlesBefore(flight.made, began + timeout, 'free'))) {
          const made = await flight.made;
          if (made.status === 'stale') this.#parts.counters.serveStale(key);
          return made;
        }
        const entry = standIn();
        if (entry) return this.#stale(key, entry);
      }
    } catch (error) {
      const entry = standIn();
      if (!entry) throw error;
      return this.#stale(key, entry);
    }
    throw new CacheFactoryTimeoutError(key, hardTimeout ?? softTimeout);
  }

  #canStandIn(entry: CacheEntry | undefined): boolean {
    if (!entry || this.#parts.clock.now() >= entry.staleUntil) return false;
    return !this.#lookup.isInvalidated(entry);
  }

  #reportFailure({ key, flight }: Making, error: unknown): void {
    const { counters, warnings } = this.#parts;
    counters.fail({ operation: 'factory', key, error });
    if (!flight.fallback) return; // its callers are told
    this.#throttle.postpone(key);
    const reason = error instanceof Error ? error.message : String(error);
    warnings.warn(
      'refresh',
      `The value of ${JSON.stringify(key)} could not be refreshed, the old one is served: ${reason}`,
    );
  }

  #stale(key: string, entry: CacheEntry): Outcome {
    this.#parts.counters.serveStale(key);
    return outcomeOf(this.#parts, entry, 'stale');
  }
}
