import { RedisError } from '../redis/index.js';

/** The `code` of an error of the lock module, the same in each release: what to tell errors apart by. */
export type LockErrorCode =
  | 'LOCK_TIMEOUT'
  | 'LOCK_UNAVAILABLE'
  | 'LOCK_LOST'
  | 'LOCK_CANCELLED'
  | 'LOCK_NOT_HELD'
  | 'LOCK_CONFIGURATION'
  | 'LOCK_NOT_INJECTED'
  | 'LOCK_LEADER_RUNNING';

/** What every error of the lock module extends. What a routine under a lock throws is never replaced by one. */
export abstract class LockError extends Error {
  abstract readonly code: LockErrorCode;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A lock was not acquired. Nest answers a request that no filter has answered with the status, and a neutral text. */
abstract class NotAcquiredError extends LockError {
  abstract readonly statusCode: number;
  /** After how many seconds a client should try again, for the header `Retry-After`. */
  abstract readonly retryAfter: number;
  /** As an error of `http-errors` says that its message, which names the resource, is not for clients. */
  readonly expose = false;

  /** The same as `statusCode`: errors of `http-errors` have both. */
  get status(): this['statusCode'] {
    return this.statusCode;
  }
}

/** What a {@link LockTimeoutError} says beside the resource and the wait. */
interface TimeoutDetails {
  readonly statusCode?: 423 | 409 | undefined;
  readonly retryAfter?: number;
  /** Whether the caller's own context holds it. */
  readonly isOwn?: boolean;
}

/** Others held the resource for as long as the caller was ready to wait. */
export class LockTimeoutError extends NotAcquiredError {
  readonly code = 'LOCK_TIMEOUT';
  /** For HTTP: 423 Locked (RFC 4918, section 11.3), unless the decorator says 409. */
  readonly statusCode: 423 | 409;
  /** After how many seconds a client should try again, for the header `Retry-After`: when the holder's time is over, unless it renews. */
  readonly retryAfter: number;

  /**
   * @param resource that was held
   * @param waited for so many milliseconds
   */
  constructor(
    readonly resource: string,
    readonly waited: number,
    { statusCode = 423, retryAfter = 1, isOwn = false }: TimeoutDetails = {},
  ) {
    const who = isOwn ? 'held by this very call; `reentrant: true` lets it in' : 'locked by another';
    super(
      waited === 0
        ? `'${resource}' is ${who}`
        : `'${resource}' was still locked after ${Math.round(waited)} ms${isOwn ? `: it is ${who}` : ''}`,
    );
    this.statusCode = statusCode;
    this.retryAfter = retryAfter;
  }
}

/** Redis could not be asked, so nobody knows whether the resource is free. The lock was not acquired. */
export class LockUnavailableError extends NotAcquiredError {
  readonly code = 'LOCK_UNAVAILABLE';
  /** For HTTP: 503 Service Unavailable. */
  readonly statusCode = 503;
  readonly retryAfter = 1;

  constructor(
    readonly resource: string,
    override readonly cause: RedisError,
  ) {
    super(`Whether '${resource}' is free cannot be told: ${cause.message}`, { cause });
  }
}

/**
 * Why a lease was lost: `expired`, its time passed without a renewal; `taken`, Redis knows it no more (data was lost, or the resource went
 * to another, or it was released by force and this process does not listen yet); `revoked`, by `forceRelease`; `overdue`, it was held for
 * `atMostFor`; `shutdown`, the application ended.
 */
export type LossReason = 'expired' | 'taken' | 'revoked' | 'overdue' | 'shutdown';

const REASONS: Readonly<Record<LossReason, string>> = {
  expired: 'it could not be renewed in time',
  taken: 'Redis no longer knows of it',
  revoked: 'it was released by force',
  overdue: 'it was held for as long as atMostFor allows',
  shutdown: 'the application was shut down',
};

/** A lease ended before it was released: others may hold the resource. The reason of its `signal`. */
export class LockLostError extends LockError {
  readonly code = 'LOCK_LOST';

  constructor(
    readonly resource: string,
    readonly fence: number,
    readonly reason: LossReason,
  ) {
    super(`The lock of '${resource}' is lost: ${REASONS[reason]}`);
  }
}

/** The caller's signal was aborted while it waited, or the application was shut down. `cause` is the reason. */
export class LockCancelledError extends NotAcquiredError {
  readonly code = 'LOCK_CANCELLED';
  /** For HTTP: 503 Service Unavailable. */
  readonly statusCode = 503;
  readonly retryAfter = 1;

  constructor(
    readonly resource: string,
    cause: unknown,
  ) {
    super(`Waiting for '${resource}' was cancelled`, { cause });
  }
}

/** `LockService.current()` was called where no routine runs under a lock, or a lease is used that was released. */
export class LockNotHeldError extends LockError {
  readonly code = 'LOCK_NOT_HELD';

  constructor(
    message = 'No lock is held here: current() is for what runs within using() or a method with @Locked',
  ) {
    super(message);
  }
}

/** A `Leader` was looped over or started a second time, while it runs. */
export class LeaderRunningError extends LockError {
  readonly code = 'LOCK_LEADER_RUNNING';

  constructor(readonly leader: string) {
    super(`Leader '${leader}' runs already; stop it first, or make another of the same name`);
  }
}
