import { Linked } from '../../timing/linked-list.js';
import type { LossReason } from '../lock-errors.js';
import type { Resource } from '../server/resource.js';
import type { RenewInput } from '../server/scripts.js';

/** A renewal is not repeated within so many milliseconds. */
const SHORTEST_RETRY = 50;

export interface HoldTerms {
  readonly ttl: number;
  readonly renew: boolean;
  /** The longest time that it is held, in milliseconds. */
  readonly atMostFor: number;
}

type Acquired = Pick<Hold, 'resource' | 'token' | 'wasQueued'>;

interface Granted {
  readonly fence: number;
  /** Until when (`performance.now()`) the server keeps it for us, at least. */
  readonly deadline: number;
}

/**
 * One resource that this process holds. Moments are of the monotonic clock (`performance.now()`), and taken before a command is sent:
 * the server's time for the lease begins later, so it ends later, too.
 */
export class Hold extends Linked<Hold> {
  readonly resource: Resource;
  readonly token: string;
  /** Whether others held the resource before. */
  readonly wasQueued: boolean;
  readonly since = performance.now();
  /** The fence that the server gave for it. */
  readonly granted: number;
  /** Where several resources are held together, all have the same. */
  fence: number;
  ttl: number;
  deadline: number;
  /** Until when it is to stay taken, although it is given up before. */
  keepUntil = -Infinity;
  /** When it is to be renewed. */
  renewAt = Infinity;
  isRenewing = false;
  /** To be told when it is lost. */
  heldBy: { lose(hold: Hold, reason: LossReason): void } | undefined;
  #renews: boolean;
  /** When it has been held for long enough. */
  #endsAt: number;
  /** When the last renewal was sent, and until when that asks for it. */
  #sentAt = -Infinity;
  #askedUntil = Infinity;

  constructor(
    { resource, token, wasQueued }: Acquired,
    { fence, deadline }: Granted,
    { ttl, renew, atMostFor }: HoldTerms,
  ) {
    super();
    this.resource = resource;
    this.token = token;
    this.wasQueued = wasQueued;
    this.granted = fence;
    this.fence = fence;
    this.ttl = ttl;
    this.#renews = renew;
    this.#endsAt = this.since + atMostFor;
    this.deadline = Math.min(deadline, this.#endsAt);
    // One that was handed on has less than its ttl at first.
    if (renew || this.deadline < Math.min(this.since + ttl * 0.9, this.#endsAt))
      this.#planRenewal(this.since);
  }

  /** From now on it is held on these terms: it was held until others had been acquired as well. */
  begin({ renew, atMostFor }: Omit<HoldTerms, 'ttl'>): void {
    this.#renews = renew;
    this.#endsAt = performance.now() + atMostFor;
    this.deadline = Math.min(this.deadline, this.#endsAt);
  }

  get remaining(): number {
    return Math.max(0, this.deadline - performance.now());
  }

  /** Why it is lost once its deadline has passed. */
  get overReason(): LossReason {
    return this.deadline >= this.#endsAt ? 'overdue' : 'expired';
  }

  /** When something has to be done for it. */
  get nextAt(): number {
    return this.isRenewing ? this.deadline : Math.min(this.renewAt, this.deadline);
  }

  /** Renewed with others, it may be a little early. */
  isDue(now: number): boolean {
    return !this.isRenewing && this.renewAt - now <= (this.deadline - now) / 6;
  }

  renewal(now: number, ttl = this.ttl): RenewInput {
    const { resource, token, granted, fence } = this;
    return {
      resource,
      token,
      granted,
      fence,
      ttl: Math.max(1, Math.ceil(Math.min(ttl, this.#endsAt - now))),
    };
  }

  /** A shorter time counts from when it is sent: whether Redis has it may never be known. */
  sent(sentAt: number, ttl: number): void {
    this.isRenewing = true;
    this.#sentAt = sentAt;
    this.#askedUntil = sentAt + ttl;
    this.deadline = Math.min(this.deadline, this.#askedUntil);
  }

  /** @param sentAt when the renewal was sent; one that was sent later may have asked for less */
  renewed(sentAt: number, ttl: number): void {
    this.isRenewing = false;
    const until = Math.min(sentAt + ttl, this.#askedUntil, this.#endsAt);
    this.deadline = Math.max(this.deadline, until);
    this.renewAt = Infinity;
    if (this.#renews) this.#planRenewal(sentAt);
  }

  /** The renewal that was sent then has failed: after a pause it is tried again, if it was planned and not only asked for. */
  notRenewed(sentAt: number): void {
    if (!this.#awaits(sentAt)) return;
    const now = performance.now();
    this.#retryAt(now + this.patience(now));
  }

  /** As {@link notRenewed}, where the answer has not come yet: it is sent again at once, and counts if it comes still. */
  notAnswered(sentAt: number): void {
    if (this.#awaits(sentAt)) this.#retryAt(performance.now());
  }

  /** Another may have been sent since. */
  #awaits(sentAt: number): boolean {
    return this.isRenewing && this.#sentAt === sentAt;
  }

  #retryAt(moment: number): void {
    this.isRenewing = false;
    if (this.#renews || this.renewAt !== Infinity) this.renewAt = moment;
  }

  /** For how long to wait, so that there is time to try again. */
  patience(now: number): number {
    return Math.max((this.deadline - now) / 3, SHORTEST_RETRY);
  }

  /** After a third of what is left, so that there is time to try again. */
  #planRenewal(now: number): void {
    if (this.deadline < this.#endsAt) this.renewAt = now + (this.deadline - now) / 3;
  }
}
