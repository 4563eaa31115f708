import type { Duration } from '../../redis/index.js';

/** What may be said for each acquisition, and in `LockModule.forRoot` for all. */
export interface LeaseOptions {
  /**
   * How long the lock stays taken when its holder is gone: killed, or cut off from Redis. A holder that lives renews it in time, each third
   * of it. @default '10s'
   */
  ttl?: Duration;
  /** How long to wait while others hold the resource: 0 not at all, `Infinity` for ever. @default '10s' */
  wait?: Duration;
  /** Whether the lease is renewed for as long as it is held. Without, it ends after `ttl`. @default true */
  renew?: boolean;
}

/** How a lock is acquired and held. */
export interface LockOptions extends LeaseOptions {
  /** Ends the wait when it is aborted, with `LockCancelledError`; aborted before, nothing is acquired. It does not end a lease. */
  signal?: AbortSignal;
  /** Lets in who holds the resource already, in the same asynchronous context: see `LockService.current()`. @default false */
  reentrant?: boolean;
  /** The longest time that the lease is held, renewed or not; then it is lost, and its signal aborted. @default as long as it is needed */
  atMostFor?: Duration;
  /**
   * The shortest: released before, or lost with another resource or at shutdown, the resource stays taken for the rest, so that another
   * replica does not do the same job again. @default 0
   */
  atLeastFor?: Duration;
}

/** Options of an acquisition that does not wait. */
export type TryLockOptions = Omit<LockOptions, 'wait'> & { wait?: never };

/** What `LockModule.forRoot` takes. */
export interface LockRootOptions extends LeaseOptions {
  /** First part of every key, and of the channel. Applications that share locks have the same. @default 'lock' */
  namespace?: string;
  /** How long one command may take until Redis counts as away. @default '1s' */
  timeout?: Duration;
  /** What becomes of the leases that are still held at shutdown: `'release'`, or `'expire'` after their `ttl`. `atLeastFor` holds either way. @default 'release' */
  onShutdown?: 'release' | 'expire';
  /** By what name this process is shown as a holder. Letters, digits, `_` and `-`, up to 40. @default the end of the host name, and the process id */
  holder?: string;
}
