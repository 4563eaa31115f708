import type { RedisConnection, Script } from '../../redis/index.js';
import { isRefusal } from '../../redis/shared.js';
import type { ServerClock } from '../server-clock.js';
import { AWAY, type Away } from './away.js';
import type { Lanes } from './lanes.js';
import type { InvalidationKind } from './pending-invalidations.js';
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
  type ReleaseRequest,
  type StoreRequest,
  type TokenRequest,
} from './scripts.js';
import { TickBatcher } from './tick-batcher.js';
import type { ValueSize } from './value-size.js';

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

interface WritesOptions {
  readonly clock: ServerClock;
  /** How many keys a command may have. */
  readonly limit: number;
  /** Learns of what is written. */
  readonly size: ValueSize;
  /** The highest number that this process has seen under the key of a stamp. */
  readonly floorOf: (key: string) => number;
}

/** Everything that the caches write, batched by turn of the event loop and slot. */
export class RedisWrites {
  readonly store: TickBatcher<StoreRequest, boolean>;
  readonly release: TickBatcher<ReleaseRequest, boolean>;
  readonly expire: TickBatcher<KeyRequest, boolean>;
  /** Undefined: Redis has refused, and is not away. */
  readonly ensure: TickBatcher<EnsureRequest, EnsuredStamp | undefined>;
  readonly remove: TickBatcher<ConfirmedRequest, void>;
  readonly stamp: TickBatcher<ConfirmedRequest, void>;
  readonly set: TickBatcher<SetRequest, void>;
  readonly #connection: RedisConnection;
  readonly #lanes: Lanes;
  readonly #clock: ServerClock;
  readonly #limit: number;
  readonly #floorOf: (key: string) => number;
  readonly #stamp = stampScript(STAMP_LIFETIME);
  readonly #ensure = ensureScript();

  constructor(connection: RedisConnection, lanes: Lanes, { clock, limit, size, floorOf }: WritesOptions) {
    this.#connection = connection;
    this.#lanes = lanes;
    this.#clock = clock;
    this.#limit = limit;
    this.#floorOf = floorOf;
    const sizeOf = ({ record }: { readonly record: Buffer }): number => {
      size.learn(record.length, 1);
      return record.length;
    };
    this.store = this.#scripted(storeScript(), sizeOf);
    this.release = this.#scripted(releaseScript());
    this.expire = this.#scripted(expireScript());
    this.ensure = this.#batcher((requests) => this.#ensureAll(requests));
    this.remove = this.#confirmed((requests) => this.#unlink(requests));
    this.stamp = this.#confirmed((requests) => this.#restamp(requests));
    this.set = this.#batcher<SetRequest, void>((requests) => this.#setAll(requests), sizeOf);
  }

  /** @param lease milliseconds */
  acquire(lease: number): TickBatcher<AcquireRequest, AcquireReply> {
    const script = acquireScript(lease);
    return this.#batcher(async (requests) => {
      const sentAt = performance.now();
      // Even where the script fails: it may have granted the first of them by then.
      for (const request of requests) request.mayBeGranted = true;
      const replies = await script.run(this.#connection.client, requests);
      if (replies[0]) this.#clock.learn(replies[0].now, sentAt, performance.now());
      return replies;
    });
  }

  /** @param lease milliseconds */
  renew(lease: number): TickBatcher<TokenRequest, boolean> {
    return this.#scripted(renewScript(lease));
  }

  /**
   * Resolves when what has been asked for in this turn of the event loop is on its way: what is asked of Redis after that comes after it.
   */
  sent(): Promise<void> {
    // Those that were asked for before have their place in the queue before this.
    return new Promise((resolve) => process.nextTick(resolve));
  }

  /** Sends invalidations of one slot whether the way is blocked or not. @throws when they were not taken */
  invalidate(kind: InvalidationKind, requests: readonly KeyRequest[]): Promise<unknown> {
    if (kind === 'remove') return this.#unlink(requests);
    return this.#restamp(requests);
  }

  #scripted<Request extends KeyRequest, Reply>(
    script: Pick<Script<readonly Request[], Reply[]>, 'run'>,
    sizeOf?: (request: Request) => number,
  ): TickBatcher<Request, Reply> {
    return this.#batcher((requests) => script.run(this.#connection.client, requests), sizeOf);
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
    send: (requests: readonly Request[]) => Promise<readonly (Reply | Away)[]>,
    sizeOf?: (request: Request) => number,
  ): TickBatcher<Request, Reply> {
    const run = (requests: readonly Request[], bytes: number): Promise<readonly (Reply | Away)[] | Away> =>
      this.#lanes.of(requests[0]!.slot).run(() => send(requests), bytes);
    return new TickBatcher(this.#limit, run, sizeOf);
  }

  #unlink(requests: readonly KeyRequest[]): Promise<number> {
    const [first, ...others] = requests.map(({ key }) => key);
    return this.#connection.client.unlink(first!, ...others);
  }

  async #ensureAll(requests: readonly EnsureRequest[]): Promise<(EnsuredStamp | undefined)[]> {
    try {
      return await this.#ensure.run(this.#connection.client, requests);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#lanes.of(requests[0]!.slot).fail(error);
      return requests.map(() => undefined);
    }
  }

  /** Each is made later than what this process has seen, also where the server has lost that, or its clock was set back. */
  #restamp(requests: readonly KeyRequest[]): Promise<string[]> {
    const { client } = this.#connection;
    return this.#stamp.run(
      client,
      requests.map((request) => ({ ...request, floor: this.#floorOf(request.key) })),
    );
  }

  /** One SET for each, sent together. One that is refused does not spoil the others. */
  async #setAll(requests: readonly SetRequest[]): Promise<(void | Away)[]> {
    const { client } = this.#connection;
    const outcomes = await Promise.allSettled(
      requests.map(async (request) => {
        await client.set(request.key, request.record, 'PX', request.keep);
        request.done();
      }),
    );
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
    if (failures.length === requests.length) throw failures[0]!.reason;
    if (failures.length > 0) this.#lanes.of(requests[0]!.slot).fail(failures[0]!.reason);
    return outcomes.map(({ status }) => (status === 'rejected' ? AWAY : undefined));
  }
}
