import { Alarm } from '../../timing/alarm.js';
import { bySlot } from '../server/by-slot.js';
import type { LockServer } from '../server/lock-server.js';
import type { PollInput, PollReply } from '../server/scripts.js';

/** A holder's time is over a little later than it said: times are rounded. */
const AFTER_EXPIRY = 2;

/** A waiter is let in. */
export interface Grant {
  readonly fence: number;
  /** Until when (`performance.now()`) the resource is its own, at least. */
  readonly deadline: number;
}

/** What the server said to who waits, and when it was asked. */
export interface Answer {
  readonly remaining: number;
  readonly last: number;
  readonly askedAt: number;
}

/** Who waits in the queue of a resource. */
export interface Waiter extends PollInput {
  /** When the last question that the server has answered was sent: by then it was not yet let in. */
  answeredAt: number;
  /** The last fence that had been given out by then: a push with no later one has come too late to be believed. */
  last: number;
  pollAt: number;
  isPolled: boolean;
  /** It was let in meanwhile, perhaps after the question that is under way. */
  isPushed: boolean;
  isLetIn: boolean;
  readonly letIn: (grant: Grant) => void;
}

/**
 * Those of this process that wait. They are let in by a push. Beside that they tell now and then that they still wait, one script for all
 * of a slot, which finds what a lost push, or a holder that has died, would leave undone.
 */
export class Waiters {
  readonly #server: LockServer;
  readonly #waiters = new Map<string, Waiter>();
  readonly #alarm = new Alarm(() => this.#tick());

  constructor(server: LockServer) {
    this.#server = server;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /**
   * @returns to be passed to {@link remove}
   */
  add(input: PollInput, answer: Answer, letIn: (grant: Grant) => void): Waiter {
    const waiter: Waiter = {
      ...input,
      answeredAt: answer.askedAt,
      last: answer.last,
      pollAt: 0,
      isPolled: false,
      isPushed: false,
      isLetIn: false,
      letIn,
    };
    this.#waiters.set(waiter.token, waiter);
    this.#plan(waiter, answer.remaining);
    return waiter;
  }

  has({ token }: Waiter): boolean {
    return this.#waiters.has(token);
  }

  remove({ token }: Waiter): void {
    this.#waiters.delete(token);
    if (this.#waiters.size === 0) this.#alarm.clear();
  }

  /** The server has let it in, by a push. @returns whether it waits */
  push(token: string, fence: number): boolean {
    const waiter = this.#waiters.get(token);
    if (!waiter) return false;
    // Whenever it was, it was after the last question.
    const deadline = waiter.answeredAt + waiter.waiting.term;
    const isFresh = fence > waiter.last && deadline - performance.now() >= waiter.waiting.term / 2;
    if (isFresh) this.#letIn(waiter, { fence, deadline });
    else this.ask(waiter);
    return true;
  }

  /** Pushes may have been lost. */
  pollNow(): void {
    for (const waiter of this.#waiters.values()) waiter.pollAt = 0;
    this.#alarm.clear();
    if (this.#waiters.size > 0) this.#tick();
  }

  /** Only the server knows whether it is let in, and how much time is left. Who gave it up would lose its place. */
  ask(waiter: Waiter): void {
    waiter.isPushed = waiter.isPolled;
    if (waiter.isPolled) return;
    waiter.pollAt = 0;
    this.#alarm.setBy(0);
  }

  #letIn(waiter: Waiter, grant: Grant): void {
    this.remove(waiter);
    waiter.isLetIn = true;
    waiter.letIn(grant);
  }

  #tick(): void {
    const now = performance.now();
    const due = Array.from(this.#waiters.values()).filter(
      (waiter) => !waiter.isPolled && waiter.pollAt - now <= interval(waiter) / 4,
    );
    for (const group of bySlot(due, this.#server.isCluster)) void this.#poll(group);
    for (const waiter of this.#waiters.values()) if (!waiter.isPolled) this.#alarm.setBy(waiter.pollAt);
  }

  async #poll(waiters: readonly Waiter[]): Promise<void> {
    const askedAt = performance.now();
    for (const waiter of waiters) waiter.isPolled = true;
    let replies: PollReply[] | undefined;
    try {
      replies = await this.#server.poll(waiters);
    } catch {
      // It asks again, until its wait is over.
    }
    for (const [index, waiter] of waiters.entries()) {
      waiter.isPolled = false;
      this.#answer(waiter, replies?.[index], askedAt);
    }
  }

  #answer(waiter: Waiter, reply: PollReply | undefined, askedAt: number): void {
    if (this.#waiters.get(waiter.token) !== waiter) {
      if (reply) this.#afterwards(waiter);
    } else if (!reply) {
      this.#plan(waiter, -1);
    } else if (reply.fence > 0) {
      this.#letIn(waiter, { fence: reply.fence, deadline: askedAt + reply.remaining });
    } else {
      waiter.answeredAt = askedAt;
      waiter.last = reply.last;
      this.#plan(waiter, reply.remaining);
    }
  }

  /** It stopped waiting while it was asked for: the question may have put it back into the queue. Unless a push was faster than the answer. */
  #afterwards({ resource, token, ttl, isLetIn }: Waiter): void {
    if (!isLetIn) this.#server.releaseSoon(resource.keys, token, performance.now() + ttl);
  }

  #plan(waiter: Waiter, remaining: number): void {
    const now = performance.now();
    const expiry = remaining < 0 ? Infinity : now + remaining + AFTER_EXPIRY;
    waiter.pollAt = waiter.isPushed ? now : Math.min(now + interval(waiter), expiry);
    waiter.isPushed = false;
    this.#alarm.setBy(waiter.pollAt);
  }
}

/** So often that more than half of what it is given is left when it is let in. */
function interval({ waiting }: PollInput): number {
  return waiting.term / 3;
}
