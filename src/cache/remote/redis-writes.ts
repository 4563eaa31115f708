import { toRedisError, type RedisConnection, type Script } from '../../redis/index.js';
import type { ServerClock } from '../server-clock.js';
import type { Away } from './away.js';
import type { Lanes } from './lanes.js';
import type { Invalidation } from './pending-invalidations.js';
import {
  acquireScript,
  ensureScript,
  expireScript,
  releaseScript,
  renewScript,
  stampScript,
  storeScript,
  type AcquireReply,
  type AcquireRequest,
  type EnsuredStamp,
  type EnsureRequest,
  type KeyRequest,
  type StoreRequest,
  type TokenRequest,
} from './scripts.js';
import { TickBatcher } from './tick-batcher.js';

/** How long a stamp is kept at least, in milliseconds: the factories that were running when it was made must find it changed. */
const STAMP_LIFETIME = 3_600_000;

/** A request whose caller wants to know of its success also when that comes after the budget. */
export interface ConfirmedRequest extends KeyRequest {
  done(): void;
}

export interface SetRequest extends ConfirmedRequest {
  readonly record: Buffer;
  /** How long Redis keeps the record, in milliseconds. */
  readonly keep: number;
}

/** Everything that the caches write, batched by turn of the event loop and slot. */
export class RedisWrites {
  readonly store: TickBatcher<StoreRequest, boolean>;
  readonly release: TickBatcher<TokenRequest, boolean>;
  readonly expire: TickBatcher<KeyRequest, boolean>;
  readonly ensure: TickBatcher<EnsureRequest, EnsuredStamp>;
  readonly remove: TickBatcher<ConfirmedRequest, void>;
  readonly stamp: TickBatcher<ConfirmedRequest, void>;
  readonly set: TickBatcher<SetRequest, void>;
  readonly #connection: RedisConnection;
  readonly #lanes: Lanes;
  readonly #clock: ServerClock;
  readonly #limit: number;
  readonly #stamp = stampScript(STAMP_LIFETIME);

  constructor(connection: RedisConnection, lanes: Lanes, clock: ServerClock, limit: number) {
    this.#connection = connection;
    this.#lanes = lanes;
    this.#clock = clock;
    this.#limit = limit;
    this.store = this.#scripted(storeScript());
    this.release = this.#scripted(releaseScript());
    this.expire = this.#scripted(expireScript());
    this.ensure = this.#scripted(ensureScript());
    this.remove = this.#confirmed((requests) => this.#unlink(requests));
    this.stamp = this.#confirmed((requests) => this.#stamp.run(this.#connection.client, requests));
    this.set = this.#confirmed((requests) => this.#setAll(requests));
  }

  /** @param lease milliseconds */
  acquire(lease: number): TickBatcher<AcquireRequest, AcquireReply> {
    const script = acquireScript(lease);
    return this.#batcher(async (requests) => {
      const sentAt = performance.now();
      for (const request of requests) request.mayBeGranted = true;
      const replies = await script.run(this.#connection.client, requests).catch((error: unknown) => {
        if (toRedisError(error)?.retryable === false)
          for (const request of requests) request.mayBeGranted = false;
        throw error;
      });
      if (replies[0]) this.#clock.learn(replies[0].now, sentAt, performance.now());
      return replies;
    });
  }

  /** @param lease milliseconds */
  renew(lease: number): TickBatcher<TokenRequest, boolean> {
    return this.#scripted(renewScript(lease));
  }

  /** Sends invalidations whether the way is blocked or not. @throws when one of them was not taken */
  async replay(invalidations: readonly Invalidation[], slotOf: (key: string) => number): Promise<void> {
    const groups = new Map<string, KeyRequest[]>();
    for (const { key, kind } of invalidations) {
      const slot = slotOf(key);
      const group = `${kind}:${slot}`;
      const requests = groups.get(group);
      if (requests) requests.push({ key, slot });
      else groups.set(group, [{ key, slot }]);
    }
    await Promise.all(
      Array.from(groups, async ([group, requests]) => {
        const send = group.startsWith('remove')
          ? (part: readonly KeyRequest[]) => this.#unlink(part)
          : (part: readonly KeyRequest[]) => this.#stamp.run(this.#connection.client, part);
        // Side by side: one after another, many of them would never be done in the time that is given.
        const parts: Promise<unknown>[] = [];
        for (let start = 0; start < requests.length; start += this.#limit)
          parts.push(send(requests.slice(start, start + this.#limit)));
        await Promise.all(parts);
      }),
    );
  }

  #scripted<Request extends KeyRequest, Reply>(
    script: Script<readonly Request[], Reply[]>,
  ): TickBatcher<Request, Reply> {
    return this.#batcher((requests) => script.run(this.#connection.client, requests));
  }

  #confirmed<Request extends ConfirmedRequest>(
    send: (requests: readonly Request[]) => Promise<unknown>,
  ): TickBatcher<Request, void> {
    return this.#batcher(async (requests) => {
      await send(requests);
      for (const request of requests) request.done();
      return [];
    });
  }

  #batcher<Request extends KeyRequest, Reply>(
    send: (requests: readonly Request[]) => Promise<readonly Reply[]>,
  ): TickBatcher<Request, Reply> {
    const run = (requests: readonly Request[]): Promise<readonly Reply[] | Away> =>
      this.#lanes.of(requests[0]!.slot).run(() => send(requests));
    return new TickBatcher(this.#limit, run);
  }

  #unlink(requests: readonly KeyRequest[]): Promise<number> {
    const [first, ...others] = requests.map(({ key }) => key);
    return this.#connection.client.unlink(first!, ...others);
  }

  /** One SET for each, sent together: all but the first error would else be an unhandled rejection. */
  async #setAll(requests: readonly SetRequest[]): Promise<void> {
    const outcomes = await Promise.allSettled(
      requests.map(({ key, record, keep }) => this.#connection.client.set(key, record, 'PX', keep)),
    );
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
  }
}
