import { randomBytes } from 'node:crypto';
import { RedisTimeoutError, type RedisConnection } from '../../redis/index.js';
import type { ResolvedRootOptions } from '../options/resolved-lock-options.js';
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

/** Sends the scripts, each with a time limit: Redis may be silent for longer than a lease lasts. */
export class LockServer {
  /** By what name the server knows this process; no two have the same. */
  readonly process: string;
  readonly wakes: Wakes;
  readonly #connection: RedisConnection;
  readonly #timeout: number;
  #tokens = 0;

  constructor(connection: RedisConnection, { namespace, holder, timeout }: ResolvedRootOptions) {
    this.#connection = connection;
    this.#timeout = timeout;
    this.process = `${holder}:${randomBytes(4).toString('hex')}`;
    this.wakes = { channel: `${namespace}:wake:`, counted: connection.topology !== 'cluster' };
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
    return this.#within(acquireScript.run(this.#connection.client, { resource, token, ttl, waiting, wakes }));
  }

  /** Whether the token held the resource. */
  release(keys: ResourceKeys, token: string): Promise<boolean> {
    return this.#within(releaseScript.run(this.#connection.client, { keys, token, wakes: this.wakes }));
  }

  /** Where it fails, the time of the token passes. */
  releaseSoon(keys: ResourceKeys, token: string): void {
    this.release(keys, token).catch(() => undefined);
  }

  /** Whether each is held still. @param leases of one slot */
  renew(leases: readonly RenewInput[]): Promise<boolean[]> {
    return this.#within(renewScript.run(this.#connection.client, leases));
  }

  /** @param waiters of one slot */
  poll(waiters: readonly PollInput[]): Promise<PollReply[]> {
    return this.#within(pollScript.run(this.#connection.client, { wakes: this.wakes, waiters }));
  }

  revoke(resource: Resource): Promise<RevokedLease[]> {
    return this.#within(revokeScript.run(this.#connection.client, { resource, wakes: this.wakes }));
  }

  /** What is late may still take effect. */
  #within<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // After a long turn of the event loop the reply may be there, unread: it is read before what is set here runs.
      const late = (): unknown => setImmediate(reject, this.#lateError());
      const timer = setTimeout(late, this.#timeout).unref();
      reply.then(
        (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(error as Error);
        },
      );
    });
  }

  #lateError(): RedisTimeoutError {
    return new RedisTimeoutError(`No answer within ${this.#timeout} ms`);
  }
}
