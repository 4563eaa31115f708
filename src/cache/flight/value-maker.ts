import type { CacheParts } from '../cache-parts.js';
import { mayBeServed, type Found } from '../lookup/found.js';
import type { Lookup } from '../lookup/lookup.js';
import type { Factory, GetOrSetOptions } from '../options/cache-options.js';
import { AWAY, type Away } from '../remote/away.js';
import { BESIDE, type AcquireReply, type AcquireRequest } from '../remote/scripts.js';
import { hitOf, outcomeOf } from './entry-outcome.js';
import type { Flight, Outcome } from './flight.js';
import type { Dependencies } from './entry-drafter.js';
import type { FactoryRunner } from './factory-runner.js';
import type { Leases } from './leases.js';
import type { Lookout, Waiters } from './waiters.js';

/** Everything that one making of a value is about. */
export interface Making {
  readonly key: string;
  readonly factory: Factory<unknown>;
  readonly options: GetOrSetOptions | undefined;
  /** What was found before; undefined where it does not matter, since the value is to be replaced. */
  readonly found: Found | undefined;
  readonly flight: Flight;
}

/** How much later than a lease should end, in milliseconds, it is looked whether it has. */
const LEASE_MARGIN = 10;

/** Between looks, in milliseconds, where changes are not told of. */
const POLL = { shortest: 20, longest: 250 };

/** How often another process may be ahead before the value is made without regard to the others. */
const ATTEMPTS = 3;

/** Makes values, one process at a time: it asks for a lease, and waits for whoever has it. */
export class ValueMaker {
  readonly #parts: CacheParts;
  readonly #lookup: Lookup;
  readonly #runner: FactoryRunner;
  readonly #leases: Leases | undefined;
  readonly #waiters: Waiters;

  constructor(
    parts: CacheParts,
    lookup: Lookup,
    runner: FactoryRunner,
    { leases, waiters }: { leases: Leases | undefined; waiters: Waiters },
  ) {
    this.#parts = parts;
    this.#lookup = lookup;
    this.#runner = runner;
    this.#leases = leases;
    this.#waiters = waiters;
  }

  /** @throws what the factory throws */
  async make(making: Making): Promise<Outcome> {
    const leases = this.#leases;
    if (!leases) return this.#runner.runAlone(making);
    let { found } = making;
    /** Since when, on the server's clock, another is waited for. */
    let waitingSince: number | undefined;
    for (let attempt = 0, polls = 0; attempt < ATTEMPTS;) {
      if (found?.status === 'away' || found?.status === 'unsure') break;
      const lookout = this.#waiters.lookOut(making.flight.redisKey);
      try {
        const asking = leases.acquire(making.flight, { known: knownOf(found), waitingSince });
        const dependencies = this.#runner.dependOn(making.options);
        const [lease, before]: [AcquireReply | Away, Dependencies | Away] =
          dependencies instanceof Promise
            ? await Promise.all([asking, dependencies])
            : [await asking, dependencies];
        if (lease === AWAY) break;
        if (before === AWAY) {
          if (lease.outcome === 0) void leases.release(making.flight);
          break;
        }
        if (lease.outcome === BESIDE) break;
        if (lease.outcome === 0)
          return await this.#runner.runLeased(making, leases, {
            born: lease.now,
            before,
            useless: found?.status === 'invalid' ? found.entry?.born : undefined,
            // Who began to wait in this process, since what was made is older than an invalidation, need not be told by Redis.
            ended: () => this.#waiters.wake(making.flight.redisKey),
          });
        if (lease.outcome === -1) attempt++;
        else {
          waitingSince ??= lease.now;
          const another = await this.#leaveToAnother(making, found, lookout, {
            heldFor: lease.outcome,
            polls: polls++,
          });
          if (another) return another;
        }
      } finally {
        this.#waiters.end(lookout);
      }
      making.flight.begin();
      found = await this.#lookup.read(making.key, making.options?.tags ?? []);
      if (found.status === 'fresh' && found.entry)
        return hitOf(this.#parts, making.key, found.entry, found.tier);
      making.flight.startOver();
    }
    return this.#runner.runAlone(making);
  }

  /** Another process makes the value: a stale one will do meanwhile, or its end is waited for. */
  async #leaveToAnother(
    making: Making,
    found: Found | undefined,
    lookout: Lookout,
    { heldFor, polls }: { heldFor: number; polls: number },
  ): Promise<Outcome | undefined> {
    if (mayBeServed(found)) {
      if (found.local) found.local.refreshAt = performance.now() + heldFor;
      return outcomeOf(this.#parts, found.entry, 'stale');
    }
    const { changes } = this.#parts;
    const poll = Math.min(POLL.shortest * 2 ** Math.min(polls, 10), POLL.longest);
    const isTold = changes !== 'unknown' && this.#isArmed(making.flight.redisKey);
    await lookout.wait(isTold ? heldFor + LEASE_MARGIN : Math.min(poll, heldFor));
    return undefined;
  }

  #isArmed(redisKey: string): boolean {
    const { tier } = this.#parts;
    return tier?.shardOf(tier.slotOf(redisKey)).armed ?? false;
  }
}

/** What a process that asks for a lease knows of the entry. */
function knownOf(found: Found | undefined): AcquireRequest['known'] {
  return found ? (found.entry?.born ?? found.unreadable ?? '') : 'any';
}
