import { AWAY } from '../remote/away.js';
import type { RedisTier } from '../remote/redis-tier.js';
import type { ServerClock } from '../server-clock.js';
import type { Stamp } from './stamp.js';

/** How far the clocks of a Cluster's nodes may be apart, in milliseconds, where a stamp's time is compared with an entry's. */
const CLOCK_SKEW = 1_000;

/** Sees to it that the stamps which entries are about to depend on are there, and stay for as long as those. */
export interface StampKeeper {
  /**
   * What an entry records that is made from now on.
   *
   * @param lifetime for how long it will be kept, in milliseconds
   * @returns the stamps; 0 for one that cannot be had: the entry is then never valid
   */
  ensure(stamps: readonly Stamp[], lifetime: number): Promise<number[]>;
  /**
   * The same for tags that became known after the factory had run. One that was invalidated since the factory began may have been
   * invalidated because of what it read: it gives 0.
   *
   * @param born when the factory began (server time)
   */
  ensureLate(stamps: readonly Stamp[], lifetime: number, born: number): Promise<number[]>;
}

/** Where there is no Redis. */
export class LocalStampKeeper implements StampKeeper {
  async ensure(stamps: readonly Stamp[]): Promise<number[]> {
    return stamps.map(({ recent }) => recent);
  }

  async ensureLate(stamps: readonly Stamp[], _lifetime: number, born: number): Promise<number[]> {
    return stamps.map(({ recent }) => (recent / 1_000 < born ? recent : 0));
  }
}

export class RedisStampKeeper implements StampKeeper {
  readonly #tier: RedisTier;
  readonly #clock: ServerClock;

  constructor(tier: RedisTier, clock: ServerClock) {
    this.#tier = tier;
    this.#clock = clock;
  }

  async ensure(stamps: readonly Stamp[], lifetime: number): Promise<number[]> {
    const needed = Math.ceil(lifetime);
    const until = this.#clock.now() + needed;
    await Promise.all(
      stamps
        .filter((stamp) => stamp.recent <= 0 || stamp.aliveUntil < until)
        .map((stamp) => this.#ensure(stamp, needed)),
    );
    return stamps.map(({ recent }) => Math.max(recent, 0));
  }

  async ensureLate(stamps: readonly Stamp[], lifetime: number, born: number): Promise<number[]> {
    return Promise.all(
      stamps.map(async (stamp) => {
        const before = stamp.believed;
        const isNew = await this.#ensure(stamp, Math.ceil(lifetime));
        const isOlder = stamp.recent / 1_000 < born - CLOCK_SKEW;
        return isNew || isOlder || (before > 0 && before === stamp.recent) ? stamp.recent : 0;
      }),
    );
  }

  async #ensure(stamp: Stamp, needed: number): Promise<boolean> {
    const reply = await this.#tier.writes.ensure.add({ key: stamp.key, slot: stamp.slot, needed });
    if (reply === AWAY) return false;
    stamp.keep(reply.text, this.#clock.now() + reply.kept);
    return reply.isNew;
  }
}
