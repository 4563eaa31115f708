import { AWAY, type Away } from '../remote/away.js';
import type { RedisTier } from '../remote/redis-tier.js';
import type { ServerClock } from '../server-clock.js';
import { NO_STAMP, type Stamp } from './stamp.js';

/** How far the clocks of a Cluster's nodes may be apart, in milliseconds, where a stamp's time is compared with an entry's. */
const CLOCK_SKEW = 1_000;

/** A moment. */
export interface Beginning {
  readonly born: number;
  readonly began: number;
}

/** Sees to it that the stamps which entries are about to depend on are there, and stay for as long as those. */
export interface StampKeeper {
  /**
   * What an entry records that is made from now on.
   *
   * @param lifetime for how long it will be kept, in milliseconds
   * @returns the stamps, at once where they are known; `NO_STAMP` for one that cannot be had; `AWAY` where Redis did not tell in time
   */
  ensure(stamps: readonly Stamp[], lifetime: number): number[] | Promise<number[] | Away>;
  /** Has Redis keep stamps that are there for as long as an entry that depends on them. @returns undefined where it does already */
  keep(stamps: readonly Stamp[], lifetime: number): Promise<number[] | Away> | undefined;
  /**
   * The same as {@link ensure} for tags that became known after the factory had run. One that was invalidated since the factory began may have been
   * invalidated because of what it read: it gives `NO_STAMP`.
   *
   * @param began when the factory began, on the server's clock and on that of `performance.now()`
   */
  ensureLate(stamps: readonly Stamp[], lifetime: number, began: Beginning): Promise<number[] | Away>;
}

/** Where there is no Redis: what is made while something is invalidated is not kept in any case. */
export class LocalStampKeeper implements StampKeeper {
  ensure(stamps: readonly Stamp[]): number[] {
    return stamps.map(({ recent }) => recent);
  }

  keep(): undefined {}

  async ensureLate(stamps: readonly Stamp[]): Promise<number[]> {
    return this.ensure(stamps);
  }
}

/** What was asked for, when the stamp was known to be what it was then. */
interface Asked {
  readonly needed: number;
  readonly recent: number;
  readonly reply: Promise<boolean | Away>;
}

export class RedisStampKeeper implements StampKeeper {
  readonly #tier: RedisTier;
  readonly #clock: ServerClock;
  readonly #isKnown: (stamp: Stamp) => boolean;
  /** What this turn of the event loop asks for. */
  readonly #asked = new Map<Stamp, Asked>();

  /** @param isKnown whether a change of the stamp would have been told of */
  constructor(tier: RedisTier, clock: ServerClock, isKnown: (stamp: Stamp) => boolean) {
    this.#tier = tier;
    this.#clock = clock;
    this.#isKnown = isKnown;
  }

  ensure(stamps: readonly Stamp[], lifetime: number): number[] | Promise<number[] | Away> {
    const needed = Math.ceil(lifetime);
    const until = this.#clock.now() + needed;
    const asked: Promise<boolean | Away>[] = [];
    for (const stamp of stamps)
      if (!this.#isKnown(stamp) || stamp.aliveUntil < until) asked.push(this.#ensureTogether(stamp, needed));
    if (asked.length === 0) return recorded(stamps);
    return Promise.all(asked).then((replies) => (replies.includes(AWAY) ? AWAY : recorded(stamps)));
  }

  keep(stamps: readonly Stamp[], lifetime: number): Promise<number[] | Away> | undefined {
    const until = this.#clock.now() + lifetime;
    if (stamps.every(({ aliveUntil }) => aliveUntil >= until)) return undefined;
    const short = stamps.filter(({ aliveUntil }) => aliveUntil < until);
    return Promise.resolve(this.ensure(short, lifetime));
  }

  async ensureLate(
    stamps: readonly Stamp[],
    lifetime: number,
    { born, began }: Beginning,
  ): Promise<number[] | Away> {
    const skew = this.#tier.isCluster ? CLOCK_SKEW : 0;
    const late = await Promise.all(
      stamps.map(async (stamp) => {
        const isNew = await this.#ensure(stamp, Math.ceil(lifetime));
        if (isNew === AWAY) return AWAY;
        const { recent, recentSince } = stamp;
        const isOlder = recent / 1_000 < born - skew || recentSince <= began;
        return recent > NO_STAMP && (isNew || isOlder) ? recent : NO_STAMP;
      }),
    );
    return areTold(late) ? late : AWAY;
  }

  /** Asks once for what many entries of one turn depend on. */
  #ensureTogether(stamp: Stamp, needed: number): Promise<boolean | Away> {
    const asked = this.#asked.get(stamp);
    // Not where this process has invalidated it since: those that come later may record the next one.
    if (asked && asked.needed >= needed && asked.recent === stamp.recent) return asked.reply;
    if (this.#asked.size === 0) process.nextTick(() => this.#asked.clear());
    // What depends on one that this process has invalidated is made again without a look at Redis. Here it is read too, so that one asks
    // and not each.
    if (stamp.believed < NO_STAMP) this.#tier.reader.readStamp(stamp);
    const reply = this.#ensure(stamp, needed);
    this.#asked.set(stamp, { needed, recent: stamp.recent, reply });
    return reply;
  }

  /** @returns whether it was made now */
  async #ensure(stamp: Stamp, needed: number): Promise<boolean | Away> {
    const { key, slot, floor } = stamp;
    const reply = await this.#tier.writes.ensure.add({ key, slot, needed, floor });
    if (reply === AWAY) return AWAY;
    // Refused: what was read of it may stand all the same.
    if (!reply) return false;
    if (stamp.keep(reply.text, this.#clock.now() + reply.kept)) this.#tier.restamp(stamp);
    return reply.isNew;
  }
}

function recorded(stamps: readonly Stamp[]): number[] {
  return stamps.map(({ recent }) => Math.max(recent, NO_STAMP));
}

function areTold(stamps: (number | Away)[]): stamps is number[] {
  return !stamps.includes(AWAY);
}
