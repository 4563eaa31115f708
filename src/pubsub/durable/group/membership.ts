import { setTimeout as sleep } from 'node:timers/promises';
import { Alarm } from '../../../timing/alarm.js';
import type { GroupServer } from './group-server.js';
import type { OwnReply } from './scripts.js';

/** Of a lease, how often it is renewed. */
const RENEWALS = 4;
/** Milliseconds until a consumer with less than its share looks for more. */
const WANTING = 500;
/** Milliseconds until it tries again to reach Redis. */
const AWAY = 250;

interface Handlers {
  /** How many partitions there are at least. */
  readonly partitions: () => number;
  /** Those that it owns. */
  readonly held: () => readonly number[];
  owned(reply: OwnReply): void;
  /** The lease was not renewed in time: others may own what this consumer did. */
  expired(): void;
}

/** Keeps a consumer a member of its group, and its partitions leased. */
export class Membership {
  readonly #server: GroupServer;
  readonly #lease: number;
  readonly #handlers: Handlers;
  readonly #expiry = new Alarm(() => this.#expire());
  readonly #stopped = new AbortController();
  #given: number[] = [];
  #isLeaving = false;
  #until = -Infinity;
  /** Until the next renewal, in milliseconds. */
  #delay = 0;
  #beating: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param lease in milliseconds */
  constructor(server: GroupServer, lease: number, handlers: Handlers) {
    this.#server = server;
    this.#lease = lease;
    this.#handlers = handlers;
  }

  /** Whether what this consumer owns is certainly its own. By this process's clock, from before Redis was asked. */
  get isCertain(): boolean {
    return this.certainFor > 0;
  }

  /** For how many milliseconds more it is, at least. */
  get certainFor(): number {
    return Math.max(0, this.#until - performance.now());
  }

  /** Joins, and stays. @throws RedisError where it cannot join */
  async join(): Promise<void> {
    await this.#beat();
    this.#schedule();
  }

  /** Gives a partition back, at once if that is possible. */
  give(partition: number): void {
    this.#given.push(partition);
    void this.#renew();
  }

  /** Is about to leave: keeps what it does not give back, and takes no more. */
  prepareToLeave(): void {
    this.#isLeaving = true;
  }

  /** Stays no longer; its partitions are free at once, or, where Redis cannot be told, when the lease ends. */
  async leave(partitions: number): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    this.#expiry.clear();
    await this.#server.leave(partitions).catch(() => undefined);
  }

  async #renew(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    clearTimeout(this.#timer);
    await this.#beating;
    this.#beating ??= this.#beat()
      .catch(() =>
        sleep(AWAY, undefined, { ref: false, signal: this.#stopped.signal }).catch(() => undefined),
      )
      .finally(() => (this.#beating = undefined));
    await this.#beating;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#stopped.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#renew(), this.#delay).unref();
  }

  async #beat(): Promise<void> {
    const given = this.#given.splice(0);
    const sentAt = performance.now();
    const usual = this.#lease / RENEWALS;
    this.#delay = 0;
    try {
      const partitions = this.#handlers.partitions();
      const reply = await this.#server.own({
        partitions,
        lease: this.#lease,
        given,
        held: this.isCertain ? this.#handlers.held() : [],
        isLeaving: this.#isLeaving,
      });
      if (this.#stopped.signal.aborted) return;
      this.#until = sentAt + this.#lease;
      this.#expiry.clear();
      this.#expiry.setBy(this.#until);
      this.#delay = reply.owned.length < reply.share ? Math.min(WANTING, usual) : usual;
      this.#handlers.owned(reply);
    } catch (error) {
      this.#given.push(...given);
      throw error;
    }
  }

  #expire(): void {
    if (!this.#stopped.signal.aborted) this.#handlers.expired();
  }
}
