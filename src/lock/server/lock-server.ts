import { randomBytes } from 'node:crypto';
import type { RedisConnection, Script } from '../../redis/index.js';
import { inspectScript, type Snapshot } from '../inspection/snapshot.js';
import type { ResolvedRootOptions } from '../options/resolved-lock-options.js';
import { tryAgainUntil } from '../../timing/backoff.js';
import type { Resource, ResourceKeys } from './resource.js';
import {
  acquireScript,
  pollScript,
  releaseScript,
  renewScript,
  revokeScript,
  type AcquireReply,
  type PollInput,
  type PollReply,
  type RenewInput,
  type RevokedLease,
  type Waiting,
  type Wakes,
} from './scripts.js';
import { TimeLimit } from '../../timing/time-limit.js';

/** So many releases are tried again at a time: in an outage, what all acquisitions give up would be a load by itself. */
const MOST_REPEATED = 1_000;

/** Sends the scripts, each with a time limit: Redis may be silent for longer than a lease lasts. */
export class LockServer {
  /** By what name the server knows this process; no two have the same. */
  readonly process: string;
  readonly wakes: Wakes;
  readonly #connection: RedisConnection;
  readonly #limit: TimeLimit;
  #tokens = 0;
  #late = 0;

  constructor(connection: RedisConnection, { namespace, holder, timeout }: ResolvedRootOptions) {
    this.#connection = connection;
    this.#limit = new TimeLimit(timeout);
    this.process = `${holder}:${randomBytes(4).toString('hex')}`;
    const channel = `${namespace}:wake:`;
    const counted = connection.topology !== 'cluster';
    this.wakes = { channel, counted, text: `${counted ? 1 : 0} ${channel}` };
  }

  get isCluster(): boolean {
    return !this.wakes.counted;
  }

  /** A name for a lease, or for who waits for one. */
  nextToken(): string {
    return `${this.process}.${(++this.#tokens).toString(36)}`;
  }

  acquire(
    resource: Resource,
    token: string,
    ttl: number,
    waiting: Waiting | undefined,
  ): Promise<AcquireReply> {
    const { wakes } = this;
    return this.#run(acquireScript, { resource, token, ttl, waiting, wakes });
  }

  /** Whether the token held the resource. */
  release(keys: ResourceKeys, token: string): Promise<boolean> {
    return this.#run(releaseScript, { keys, token, wakes: this.wakes });
  }

  /**
   * Releases what nobody needs. It is tried again until the time of the token has passed: neither shall others be kept out, nor a place
   * in the queue be kept.
   *
   * @param deadline `performance.now()`
   */
  releaseSoon(keys: ResourceKeys, token: string, deadline: number): void {
    this.release(keys, token).catch(() => this.#releaseLate(keys, token, deadline));
  }

  async #releaseLate(keys: ResourceKeys, token: string, deadline: number): Promise<void> {
    if (this.#late >= MOST_REPEATED) return;
    this.#late++;
    await tryAgainUntil(deadline, () => this.release(keys, token));
    this.#late--;
  }

  /** Whether each is held still. @param leases of one slot */
  renew(leases: readonly RenewInput[]): Promise<boolean[]> {
    return this.#run(renewScript, leases);
  }

  /** @param waiters of one slot */
  poll(waiters: readonly PollInput[]): Promise<PollReply[]> {
    return this.#run(pollScript, { wakes: this.wakes, waiters });
  }

  inspect(resource: Resource): Promise<Snapshot> {
    return this.#run(inspectScript, resource);
  }

  revoke(resource: Resource): Promise<RevokedLease[]> {
    return this.#run(revokeScript, { resource, wakes: this.wakes });
  }

  /** Waits until all that was sent is answered, or late. */
  settled(): Promise<void> {
    return this.#limit.settled();
  }

  #run<Input, Reply>(script: Script<Input, Reply>, input: Input): Promise<Reply> {
    try {
      return this.#limit.apply(script.run(this.#connection.client, input));
    } catch (error) {
      return Promise.reject(error);
    }
  }
}
