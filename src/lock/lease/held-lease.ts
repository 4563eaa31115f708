import type { LockServer } from '../server/lock-server.js';
import { LockLostError, LockUnavailableError, type LossReason } from '../lock-errors.js';
import type { LockEventPublisher } from '../lock-events.js';
import { logger } from '../lock-logger.js';
import { RedisError } from '../../redis/index.js';
import type { Hold } from './hold.js';
import type { LeaseKeeper } from './lease-keeper.js';
import { letGo, letGoLater, letGoSoon } from './let-go.js';

/** `released`; `lost` before that; or Redis could not be told: it is told when it is back, or the lease ends with its `ttl`. */
export type ReleaseOutcome = 'released' | 'lost' | 'unconfirmed';

export interface HeldLeaseParts {
  readonly server: LockServer;
  readonly keeper: LeaseKeeper;
  readonly events: LockEventPublisher;
}

/** What leases stand on: the resources that are held together, until the last of the leases is released. */
export class HeldLease {
  readonly holds: readonly [Hold, ...Hold[]];
  readonly #parts: HeldLeaseParts;
  readonly #since = performance.now();
  #leases = 0;
  #lost: LockLostError | undefined;
  #controller: AbortController | undefined;
  #released: Promise<ReleaseOutcome> | undefined;

  constructor(parts: HeldLeaseParts, holds: readonly [Hold, ...Hold[]], atLeastFor: number) {
    this.#parts = parts;
    this.holds = holds;
    for (const hold of holds) {
      hold.heldBy = this;
      hold.keepUntil = this.#since + atLeastFor;
    }
  }

  get resource(): string {
    return this.holds.length === 1 ? this.holds[0].resource.name : this.resources.join(', ');
  }

  get resources(): string[] {
    return this.holds.map(({ resource }) => resource.name);
  }

  get fence(): number {
    return this.holds[0].fence;
  }

  get lost(): LockLostError | undefined {
    if (!this.#lost && !this.#released) for (const hold of this.holds) this.#parts.keeper.check(hold);
    return this.#lost;
  }

  get signal(): AbortSignal {
    const { lost } = this;
    this.#controller ??= new AbortController();
    if (lost && !this.#controller.signal.aborted) this.#controller.abort(lost);
    return this.#controller.signal;
  }

  get remaining(): number {
    return this.lost || this.#released ? 0 : Math.min(...this.holds.map((hold) => hold.remaining));
  }

  share(): void {
    this.#leases++;
  }

  async extend(ttl: number | undefined): Promise<number> {
    if (this.lost) throw this.lost;
    try {
      await this.#parts.keeper.renew(this.holds, ttl);
    } catch (error) {
      if (error instanceof RedisError && !this.lost) throw new LockUnavailableError(this.resource, error);
      if (!this.lost) throw error;
    }
    if (this.lost) throw this.lost;
    return this.remaining;
  }

  /** Once for each lease. */
  release(): Promise<ReleaseOutcome> {
    if (--this.#leases > 0) return Promise.resolve(this.lost ? 'lost' : 'released');
    this.#released ??= this.lost ? Promise.resolve('lost') : this.#release();
    return this.#released;
  }

  #release(): Promise<ReleaseOutcome> {
    const { keeper } = this.#parts;
    for (const hold of this.holds) keeper.remove(hold);
    const held = performance.now() - this.#since;
    const [first] = this.holds;
    if (this.holds.length === 1)
      return this.#releaseOne(first).then((outcome) => this.#end(outcome, held, first));
    return Promise.all(this.holds.map((hold) => this.#releaseOne(hold))).then((outcomes) => {
      const taken = this.holds[outcomes.indexOf('lost')];
      if (taken) return this.#end('lost', held, taken);
      return this.#end(outcomes.includes('unconfirmed') ? 'unconfirmed' : 'released', held, first);
    });
  }

  /** @param hold where it is lost, the one that was taken */
  #end(outcome: ReleaseOutcome, held: number, hold: Hold): ReleaseOutcome {
    const { events } = this.#parts;
    if (outcome === 'lost') this.lose(hold, 'taken');
    else if (events.has('released'))
      events.publish('released', { resource: this.resource, fence: this.fence, held });
    return outcome;
  }

  #releaseOne(hold: Hold): Promise<ReleaseOutcome> {
    const { server } = this.#parts;
    return letGo(server, hold).then(
      (isHeld) => (isHeld ? 'released' : 'lost'),
      () => {
        letGoLater(server, hold);
        return 'unconfirmed';
      },
    );
  }

  /** One of the resources is lost. */
  lose(hold: Hold, reason: LossReason): void {
    if (this.#lost) return;
    const { resource, fence } = hold;
    this.#lost = new LockLostError(resource.name, fence, reason);
    if (reason !== 'shutdown') logger.warn(this.#lost.message);
    this.#parts.events.publish('lost', { resource: resource.name, fence, reason });
    // Those that were held with it are of no use by themselves.
    const { keeper, server } = this.#parts;
    for (const other of this.holds) {
      if (other === hold || !keeper.has(other)) continue;
      keeper.remove(other);
      if (reason !== 'shutdown') letGoSoon(server, other);
    }
    this.#controller?.abort(this.#lost);
  }
}
