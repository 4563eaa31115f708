import { AWAY } from '../remote/away.js';
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
   * @returns the stamps; `NO_STAMP` for one that cannot be had
   */
  ensure(stamps: readonly Stamp[], lifetime: number): Promise<number[]>;
  /** Has Redis keep stamps that are there for as long as an entry that depends on them. */
  keep(stamps: readonly Stamp[], lifetime: number): Promise<void>;
  /**
   * The same as {@link ensure} for tags that became known after the factory had run. One that was invalidated since the factory began may have been
   * invalidated because of what it read: it gives `NO_STAMP`.
   *
   * @param began when the factory began, on the server's clock and on that of `performance.now()`
   */
  ensureLate(stamps: readonly Stamp[], lifetime: number, began: Beginning): Promise<number[]>;
}

/** Where there is no Redis: what is made while something is invalidated is not kept in any case. */
export class LocalStampKeeper implements StampKeeper {
  async ensure(stamps: readonly Stamp[]): Promise<number[]> {
    return stamps.map(({ recent }) => recent);
  }

  async keep(): Promise<void> {}

  ensureLate(stamps: readonly Stamp[]): Promise<number[]> {
    return this.ensure(stamps);
  }
}

export class RedisStampKeeper implements StampKeeper {
  readonly #tier: RedisTier;
  readonly #clock: ServerClock;
  readonly #isKnown: (stamp: Stamp) => boolean;

  /** @param isKnown whether a change of the stamp would have been told of */
  constructor(tier: RedisTier, clock: ServerClock, isKnown: (stamp: Stamp) => boolean) {
    this.#tier = tier;
    this.#clock = clock;
    this.#isKnown = isKnown;
  }

  async ensure(stamps: readonly Stamp[], lifetime: number): Promise<number[]> {
    const needed = Math.ceil(lifetime);
    const until = this.#clock.now() + needed;
    await Promise.all(
      stamps
        .filter((stamp) => !this.#isKnown(stamp) || stamp.aliveUntil < until)
        .map((stamp) => this.#ensure(stamp, needed)),
    );
    return stamps.map(({ recent }) => Math.max(recent, NO_STAMP));
  }

  async keep(stamps: readonly Stamp[], lifetime: number): Promise<void> {
    const until = this.#clock.now() + lifetime;
    const short = stamps.filter(({ aliveUntil }) => aliveUntil < until);
    if (short.length > 0) await this.ensure(short, lifetime);
  }

  async ensureLate(
    stamps: readonly Stamp[],
    lifetime: number,
    { born, began }: Beginning,
  ): Promise<number[]> {
    const skew = this.#tier.isCluster ? CLOCK_SKEW : 0;
    return Promise.all(
      stamps.map(async (stamp) => {
        const isNew = await this.#ensure(stamp, Math.ceil(lifetime));
        const { recent, recentSince } = stamp;
        const isOlder = recent / 1_000 < born - skew || recentSince <= began;
        return recent > NO_STAMP && (isNew || isOlder) ? recent : NO_STAMP;
      }),
    );
  }

  async #ensure(stamp: Stamp, needed: number): Promise<boolean> {
    const { key, slot, floor } = stamp;
    const reply = await this.#tier.writes.ensure.add({ key, slot, needed, floor });
    if (reply === AWAY) return false;
    if (stamp.keep(reply.text, this.#clock.now() + reply.kept)) this.#tier.restamp(stamp);
    return reply.isNew;
  }
}
