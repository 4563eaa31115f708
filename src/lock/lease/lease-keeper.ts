import { Alarm } from '../../timing/alarm.js';
import { bySlot } from '../server/by-slot.js';
import { LinkedList } from '../../timing/linked-list.js';
import type { LockServer } from '../server/lock-server.js';
import type { LossReason } from '../lock-errors.js';
import type { Hold } from './hold.js';
import { letGoSoon } from './let-go.js';

/** Renews whatever this process holds: one timer, and one script for all that is due in a slot. */
export class LeaseKeeper {
  readonly #server: LockServer;
  readonly #listen: () => void;
  readonly #holds = new LinkedList<Hold>();
  readonly #alarm = new Alarm(() => this.#tick());
  #isStopped = false;

  /** @param listen hears of what is revoked. Called when something is held for so long that it is renewed: others need no push. */
  constructor(server: LockServer, listen: () => void) {
    this.#server = server;
    this.#listen = listen;
  }

  /** How many resources are held. */
  get size(): number {
    return this.#holds.size;
  }

  add(hold: Hold): void {
    this.#holds.add(hold);
    this.#wakeBy(hold.nextAt);
  }

  remove(hold: Hold): void {
    this.#holds.delete(hold);
  }

  has(hold: Hold): boolean {
    return this.#holds.has(hold);
  }

  find(token: string): Hold | undefined {
    for (let hold = this.#holds.first; hold; hold = hold.next) if (hold.token === token) return hold;
    return undefined;
  }

  /** What is held still. */
  held(): Hold[] {
    return [...this.#holds].filter((hold) => this.check(hold));
  }

  /** The server has taken it away. @returns whether it was held */
  revoke(token: string): boolean {
    const hold = this.find(token);
    if (hold) this.#lose(hold, 'revoked');
    return hold !== undefined;
  }

  /** Whether it is held still; what has passed its deadline is lost, although no timer has said so yet. */
  check(hold: Hold): boolean {
    if (!this.#holds.has(hold)) return false;
    if (performance.now() < hold.deadline) return true;
    this.#lose(hold, hold.overReason);
    return false;
  }

  /**
   * Renews now. Those that turn out to be lost are told so.
   *
   * @param ttl from now on, if it is another and Redis has it
   * @throws RedisError where the server could not be asked for all of them
   */
  async renew(holds: readonly Hold[], ttl?: number): Promise<void> {
    const groups = bySlot(holds, this.#server.isCluster);
    const outcomes = await Promise.allSettled(groups.map((group) => this.#renewTogether(group, ttl)));
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
  }

  /** Renews nothing more. @returns what is held still */
  stop(): Hold[] {
    this.#isStopped = true;
    this.#alarm.clear();
    const holds = [...this.#holds];
    for (const hold of holds) this.#lose(hold, 'shutdown');
    return holds;
  }

  async #renewTogether(holds: readonly Hold[], ttl: number | undefined): Promise<void> {
    const sentAt = performance.now();
    const renewals = holds.map((hold) => hold.renewal(sentAt, ttl));
    for (const [index, hold] of holds.entries()) hold.sent(sentAt, renewals[index]!.ttl);
    const patience = Math.min(...holds.map((hold) => hold.patience(sentAt)));
    const retry = setTimeout(() => this.#sendAgain(holds, sentAt), patience).unref();
    try {
      const held = await this.#server.renew(renewals);
      for (const [index, hold] of holds.entries()) {
        if (!this.check(hold)) continue;
        if (!held[index]) {
          this.#lose(hold, 'taken');
          continue;
        }
        hold.ttl = ttl ?? hold.ttl;
        hold.renewed(sentAt, renewals[index]!.ttl);
      }
    } catch (error) {
      for (const hold of holds) hold.notRenewed(sentAt);
      throw error;
    } finally {
      clearTimeout(retry);
      for (const hold of holds) if (this.#holds.has(hold)) this.#wakeBy(hold.nextAt);
    }
  }

  /** An answer may be lost, and `timeout` be longer than what is left: renewals may be repeated. */
  #sendAgain(holds: readonly Hold[], sentAt: number): void {
    for (const hold of holds) {
      if (!this.#holds.has(hold)) continue;
      hold.notAnswered(sentAt);
      this.#wakeBy(hold.nextAt);
    }
  }

  #tick(): void {
    const now = performance.now();
    const due: Hold[] = [];
    let next = Infinity;
    for (const hold of this.#holds) {
      if (!this.check(hold)) continue;
      if (hold.isDue(now)) due.push(hold);
      else next = Math.min(next, hold.nextAt);
    }
    if (due.length > 0) {
      this.#listen();
      // What failed is tried again until the deadline.
      this.renew(due).catch(() => undefined);
    }
    for (const hold of due) next = Math.min(next, hold.nextAt);
    this.#wakeBy(next);
  }

  #lose(hold: Hold, reason: LossReason): void {
    this.#holds.delete(hold);
    hold.heldBy?.lose(hold, reason);
    // A renewal that is under way would keep others out. Shutting down releases by itself.
    if (reason === 'expired' || reason === 'overdue') letGoSoon(this.#server, hold);
  }

  #wakeBy(moment: number): void {
    if (!this.#isStopped) this.#alarm.setBy(moment);
  }
}
