import { backoff } from '../../timing/backoff.js';
import { Linked } from '../../timing/linked-list.js';
import type { LockServer } from '../server/lock-server.js';
import type { Resource } from '../server/resource.js';
import type { PollInput, QueuedReply, Waiting } from '../server/scripts.js';
import { Hold } from '../lease/hold.js';
import type { LeaseKeeper } from '../lease/lease-keeper.js';
import { LockCancelledError, LockUnavailableError } from '../lock-errors.js';
import type { ResolvedLockOptions } from '../options/resolved-lock-options.js';
import { RedisError, RedisTimeoutError } from '../../redis/index.js';
import { LONGEST_TERM, termsOf } from './terms.js';
import type { WakeChannel } from './wake-channel.js';
import type { Answer, Grant, Waiters } from './waiters.js';

const RETRY = { first: 25, longest: 500 };

/** Where no push can be had, it is asked again whether the resource is free, once in so many milliseconds. */
const LONGEST_SUBSCRIBE = 1_000;

/** Others hold the resource. */
export interface Busy {
  readonly isBusy: true;
  readonly resource: Resource;
  /** Milliseconds until a holder's time is over, unless it renews. */
  readonly remaining: number;
}

/** A turn of the event loop may be long once; where all answers are late, there is no use in trying on. */
export const MOST_LATE = 3;

export interface AttemptParts {
  readonly server: LockServer;
  readonly keeper: LeaseKeeper;
  readonly waiters: Waiters;
  readonly channel: WakeChannel;
}

/** One acquisition of one resource. */
export class Attempt extends Linked<Attempt> {
  readonly #parts: AttemptParts;
  readonly #resource: Resource;
  readonly #options: ResolvedLockOptions;
  readonly #ttl: number;
  readonly #until: number;
  #token: string;
  #remaining = -1;
  #failures = 0;
  #late = 0;
  /** A request has asked to wait: the token may be in the queue, also where its reply was lost. */
  #mayWait = false;
  /** A push has come before the reply to the request that is under way. */
  #isPushed = false;
  #cancelled: LockCancelledError | undefined;
  /** Ends what it waits for now. */
  #interrupt: (() => void) | undefined;

  /** @param until when (`performance.now()`) the wait is over */
  constructor(parts: AttemptParts, resource: Resource, options: ResolvedLockOptions, until: number) {
    super();
    this.#parts = parts;
    this.#resource = resource;
    this.#options = options;
    this.#ttl = Math.min(options.ttl, options.atMostFor);
    this.#until = until;
    this.#token = parts.server.nextToken();
  }

  /** Ends the wait; what is granted all the same is given back. */
  cancel(reason: unknown): LockCancelledError {
    this.#cancelled ??= new LockCancelledError(this.#resource.name, reason);
    this.#interrupt?.();
    return this.#cancelled;
  }

  /** It may be let in before it knows that it waits. @returns whether the token is its own */
  push(token: string): boolean {
    if (token !== this.#token) return false;
    this.#isPushed = true;
    return true;
  }

  /**
   * Not an async function, nor is what it calls first: most often the resource is free, and all is said with the first reply.
   *
   * @param ended called when it waits for nothing any more
   * @throws LockUnavailableError, LockCancelledError
   */
  run(ended: () => void): Promise<Hold | Busy> {
    return this.#try().then(
      (outcome) => {
        if (!outcome || this.#cancelled) return this.#goOn(outcome).finally(ended);
        ended();
        return outcome;
      },
      (error: unknown) => {
        ended();
        throw error;
      },
    );
  }

  async #goOn(first: Hold | Busy | undefined): Promise<Hold | Busy> {
    for (let outcome = first; ; outcome = await this.#try()) {
      if (this.#cancelled) {
        this.giveUp(outcome);
        throw this.#cancelled;
      }
      if (outcome) return outcome;
    }
  }

  /** Undefined for once more. */
  #try(): Promise<Hold | Busy | undefined> {
    const { server, channel } = this.#parts;
    const waiting = channel.isReady && this.#isPatient ? termsOf(this.#ttl) : undefined;
    const sentAt = performance.now();
    this.#isPushed = false;
    if (waiting) this.#mayWait = true;
    return server.acquire(this.#resource, this.#token, this.#ttl, waiting).then(
      (reply) =>
        typeof reply === 'number'
          ? this.#enter({ fence: reply, deadline: sentAt + this.#ttl })
          : this.#queue(reply, sentAt, waiting),
      (error: unknown) => this.#failed(error),
    );
  }

  async #queue(
    { remaining, arrival, last }: QueuedReply,
    askedAt: number,
    waiting: Waiting | undefined,
  ): Promise<Hold | Busy | undefined> {
    this.#remaining = remaining;
    if (waiting && arrival !== undefined) {
      this.#failures = 0;
      const input = { resource: this.#resource, token: this.#token, arrival, ttl: this.#ttl, waiting };
      const grant = await this.#wait(input, { remaining, last, askedAt });
      return grant ? this.#enter(grant) : this.#busy();
    }
    if (!this.#isPatient) return this.#busy();
    // Before it joins the queue: the push may come at once.
    const time = Math.min(this.#until - performance.now(), LONGEST_SUBSCRIBE);
    await this.#pause(time, this.#parts.channel.subscribe()).catch((error: unknown) => this.#failed(error));
    return undefined;
  }

  get #isPatient(): boolean {
    return this.#until > performance.now();
  }

  #enter(grant: Grant): Hold | Promise<Hold | undefined> {
    const { renew, atMostFor } = this.#options;
    const acquired = { resource: this.#resource, token: this.#token, wasQueued: this.#remaining >= 0 };
    const hold = new Hold(acquired, grant, { ttl: this.#ttl, renew, atMostFor });
    this.#parts.keeper.add(hold);
    return hold.remaining >= Math.min(this.#ttl, LONGEST_TERM) / 2 ? hold : this.#freshen(hold);
  }

  /** What it is granted is almost over, after a long turn of the event loop: it is renewed before anything is done under it. */
  async #freshen(hold: Hold): Promise<Hold | undefined> {
    const { keeper } = this.#parts;
    try {
      if (keeper.check(hold)) await keeper.renew([hold]);
    } catch (error) {
      keeper.remove(hold);
      return this.#failed(error);
    }
    if (keeper.check(hold)) return hold;
    this.#token = this.#parts.server.nextToken();
    if (this.#isPatient || ++this.#late < MOST_LATE) return undefined;
    return this.#failed(lateError(this.#ttl));
  }

  #wait(input: PollInput, answer: Answer): Promise<Grant | undefined> {
    const { waiters } = this.#parts;
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const finish = (grant?: Grant): void => {
        clearTimeout(timer);
        waiters.remove(waiter);
        this.#interrupt = undefined;
        resolve(grant);
      };
      const waiter = waiters.add(input, answer, finish);
      if (this.#isPushed) waiters.ask(waiter);
      this.#interrupt = finish;
      if (this.#cancelled) return finish();
      if (this.#until === Infinity) return;
      // A push that has come during a long turn of the event loop is read first.
      const expire = (): unknown => setImmediate(() => waiters.has(waiter) && finish());
      timer = setTimeout(expire, Math.max(0, this.#until - performance.now())).unref();
    });
  }

  /** It holds nothing, but may have a place in the queue. */
  #busy(): Busy {
    if (this.#mayWait) this.#release();
    return { isBusy: true, resource: this.#resource, remaining: this.#remaining };
  }

  /** Gives back what is granted, or may be. @param outcome of its last try */
  giveUp(outcome: Hold | Busy | undefined): void {
    if (outcome instanceof Hold) this.#parts.keeper.remove(outcome);
    if (!outcome || outcome instanceof Hold) this.#release();
  }

  /** The time of a lease that nobody needs shall not have to pass, nor shall a place in the queue be kept. */
  #release(): void {
    this.#parts.server.releaseSoon(this.#resource.keys, this.#token, performance.now() + this.#ttl);
  }

  /** Redis may be back before the wait is over. The token stays the same, so that what was granted unheard is found again. */
  async #failed(error: unknown): Promise<undefined> {
    const delay = backoff(this.#failures++, RETRY);
    const isHopeless = !(error instanceof RedisError) || !error.retryable;
    if (isHopeless || performance.now() + delay >= this.#until) {
      this.#release();
      throw error instanceof RedisError ? new LockUnavailableError(this.#resource.name, error) : error;
    }
    await this.#pause(delay);
  }

  /** Ends with what is awaited, if anything; after so many milliseconds; or when it is cancelled. @throws what that throws */
  #pause(milliseconds: number, awaited?: Promise<void>): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, milliseconds).unref();
      this.#interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
      awaited?.then(this.#interrupt, reject);
      if (this.#cancelled) this.#interrupt();
    }).finally(() => (this.#interrupt = undefined));
  }
}

/** Why nothing can be held for so short a time. */
export function lateError(ttl: number): RedisTimeoutError {
  return new RedisTimeoutError(`Redis answers later than a lease of ${ttl} ms lasts`);
}
