import { RedisError } from './redis-error.js';

/** Redis could not be reached, or is not ready (loading, busy with a script). The command was not executed. */
export class RedisUnavailableError extends RedisError {
  readonly code = 'REDIS_UNAVAILABLE';
  override readonly retryable = true;
}

/**
 * The connection was lost after the command was sent and before its reply came: it may have been executed or not. rednest never
 * repeats such a command by itself; repeat it if doing so twice is the same as doing it once.
 */
export class RedisConnectionLostError extends RedisError {
  readonly code = 'REDIS_CONNECTION_LOST';
  override readonly retryable = true;

  constructor(
    message = 'Connection lost before the reply: the command may have been executed',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** No reply within `commandTimeout`. The command may have been executed. */
export class RedisTimeoutError extends RedisError {
  readonly code = 'REDIS_TIMEOUT';
  override readonly retryable = true;
}

/** User name or password are missing or wrong, or could not be obtained. */
export class RedisAuthError extends RedisError {
  readonly code = 'REDIS_AUTH';
}

/** The TLS handshake failed: an unknown authority, a wrong name, a missing client certificate. */
export class RedisTlsError extends RedisError {
  readonly code = 'REDIS_TLS';
}

/** The user's ACL forbids the command, a key or a channel (`NOPERM`). */
export class RedisPermissionError extends RedisError {
  readonly code = 'REDIS_PERMISSION';
}

/** The server takes no writes now: a replica, a demoted master, one without enough replicas or with a failing disk. */
export class RedisReadOnlyError extends RedisError {
  readonly code = 'REDIS_READ_ONLY';
  override readonly retryable = true;
}

/** `maxmemory` is reached and nothing may be evicted (`OOM`). Repeating makes it no better. */
export class RedisOutOfMemoryError extends RedisError {
  readonly code = 'REDIS_OUT_OF_MEMORY';
}

/** The key holds another data type (`WRONGTYPE`). */
export class RedisWrongTypeError extends RedisError {
  readonly code = 'REDIS_WRONG_TYPE';
}

/** The Cluster is down, or moves the slot elsewhere. */
export class RedisClusterError extends RedisError {
  readonly code = 'REDIS_CLUSTER';
  override readonly retryable = true;
}

/** A Lua script failed or was killed. */
export class RedisScriptError extends RedisError {
  readonly code = 'REDIS_SCRIPT';
}

/** Redis refused the command for another reason: wrong arguments, an unknown command, keys of different slots. */
export class RedisCommandError extends RedisError {
  readonly code = 'REDIS_COMMAND';
}

/** The watched keys of an optimistic transaction kept changing. Nothing was written. */
export class RedisConflictError extends RedisError {
  readonly code = 'REDIS_CONFLICT';
  override readonly retryable = true;
}

/** No dedicated connection came free within `pool.acquireTimeout`. */
export class RedisPoolTimeoutError extends RedisError {
  readonly code = 'REDIS_POOL_TIMEOUT';
  override readonly retryable = true;
}

/** `pool.queueLimit` takers wait for a dedicated connection already. */
export class RedisPoolExhaustedError extends RedisError {
  readonly code = 'REDIS_POOL_EXHAUSTED';
  override readonly retryable = true;
}

/** The connection was closed, by `close()` or by the shutdown of the application. */
export class RedisClosedError extends RedisError {
  readonly code = 'REDIS_CLOSED';
}
