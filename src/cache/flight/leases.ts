import { randomBytes } from 'node:crypto';
import { AWAY, type Away } from '../remote/away.js';
import type { RedisTier } from '../remote/redis-tier.js';
import type { AcquireReply, AcquireRequest, ReleaseRequest, TokenRequest } from '../remote/scripts.js';
import type { TickBatcher } from '../remote/tick-batcher.js';
import type { Flight } from './flight.js';

/** How often within its time a lease is renewed. */
const RENEWALS = 3;

/** Leases that Redis may hold for nobody, of which is kept note. Others end with their time. */
const MOST_ABANDONED = 1_000;

/** Of a token: 48 random bits as letters that need no escaping on their way. */
const TOKEN_BYTES = 6;
const TOKEN_LENGTH = 8;

/** To ask for random bytes costs more than to make them: they are asked for by the hundred tokens. */
let letters = '';

/** A token that no other lease has. */
export function newToken(): string {
  if (letters === '') letters = randomBytes(100 * TOKEN_BYTES).toString('base64url');
  const token = letters.slice(0, TOKEN_LENGTH);
  letters = letters.slice(TOKEN_LENGTH);
  return token;
}

/** A lease, and who makes a value under it. */
interface Held {
  readonly request: TokenRequest;
  readonly flight: Flight;
}

/** The right to make a value, held in Redis so that one process at a time does. All that are held are renewed by one timer. */
export class Leases {
  readonly #tier: RedisTier;
  readonly #lease: number;
  readonly #acquire: TickBatcher<AcquireRequest, AcquireReply>;
  readonly #renew: TickBatcher<TokenRequest, boolean>;
  readonly #held = new Map<string, Held>();
  /** Those that nobody here uses, and that Redis may hold all the same, since it did not answer in time. By token. */
  readonly #abandoned = new Map<string, ReleaseRequest>();
  #timer: NodeJS.Timeout | undefined;

  /** @param lease milliseconds */
  constructor(tier: RedisTier, lease: number) {
    this.#tier = tier;
    this.#lease = lease;
    this.#acquire = tier.writes.acquire(lease);
    this.#renew = tier.writes.renew(lease);
  }

  /** Asks for a lease. One that is granted is renewed until it is dropped, or its flight is overdue. */
  async acquire(
    flight: Flight,
    wishes: Pick<AcquireRequest, 'known' | 'waitingSince'>,
  ): Promise<AcquireReply | Away> {
    const { redisKey: key, token } = flight;
    const slot = this.#tier.slotOf(key);
    const request: AcquireRequest = { key, slot, token, ...wishes, mayBeGranted: false };
    const reply = await this.#acquire.add(request);
    if (reply === AWAY) {
      if (request.mayBeGranted) void this.#release({ key, slot, token, failed: undefined });
    } else if (reply.outcome === 0) this.#hold({ request, flight });
    return reply;
  }

  /** Renews it no longer: its value was stored, or will not be. */
  drop({ token }: Flight): void {
    this.#held.delete(token);
  }

  /**
   * Gives it back without a value.
   *
   * @param failed that its factory has run, and nothing was to be stored: see {@link ReleaseRequest}
   * @returns whether it still stood
   */
  release(flight: Flight, failed?: ReleaseRequest['failed']): Promise<boolean | Away> {
    this.drop(flight);
    const { redisKey: key, token } = flight;
    return this.#release({ key, slot: this.#tier.slotOf(key), token, failed });
  }

  /** Redis answers again: nobody shall wait for leases that were granted meanwhile without anybody hearing of it. */
  releaseAbandoned(): void {
    for (const request of this.#abandoned.values()) void this.#release(request);
  }

  /** Gives back those that are held, so that nobody waits for what is not made any more. Resolves within the budget. */
  async close(): Promise<void> {
    this.#stopTimer();
    const held = [...this.#held.values()];
    this.#held.clear();
    await Promise.all(held.map(({ request }) => this.#release({ ...request, failed: undefined })));
    this.#abandoned.clear();
  }

  async #release(request: ReleaseRequest): Promise<boolean | Away> {
    const { token, key } = request;
    this.#abandoned.set(token, request);
    const stood = await this.#tier.writes.release.add(request);
    if (stood !== AWAY) {
      this.#abandoned.delete(token);
      this.#tier.announce([key]);
    } else if (this.#abandoned.size > MOST_ABANDONED) {
      const [oldest] = this.#abandoned.keys();
      this.#abandoned.delete(oldest!);
    }
    return stood;
  }

  #hold(held: Held): void {
    this.#held.set(held.request.token, held);
    this.#timer ??= setInterval(() => this.#renewAll(), this.#lease / RENEWALS).unref();
  }

  #renewAll(): void {
    // Not as soon as there is none: where values are made one after the other, that would be a timer for each.
    if (this.#held.size === 0) this.#stopTimer();
    for (const { request, flight } of this.#held.values()) {
      if (flight.isOverdue) {
        this.drop(flight);
        continue;
      }
      // One that no longer stands was voided: its value will not be stored, and who waits for it has been woken by that.
      void this.#renew.add(request).then((stands) => {
        if (stands === false) this.drop(flight);
      });
    }
  }

  #stopTimer(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
