import {
  RedisAuthError,
  RedisClusterError,
  RedisCommandError,
  RedisConnectionLostError,
  RedisOutOfMemoryError,
  RedisPermissionError,
  RedisReadOnlyError,
  RedisScriptError,
  RedisTimeoutError,
  RedisTlsError,
  RedisUnavailableError,
  RedisWrongTypeError,
} from './errors.js';
import { RedisError } from './redis-error.js';

type Make = (message: string, options: ErrorOptions) => RedisError;

const unavailable: Make = (message, options) => new RedisUnavailableError(message, options);
const auth: Make = (message, options) => new RedisAuthError(message, options);
const permission: Make = (message, options) => new RedisPermissionError(message, options);
const readOnly: Make = (message, options) => new RedisReadOnlyError(message, options);
const script: Make = (message, options) => new RedisScriptError(message, options);
const moving: Make = (message, options) => new RedisClusterError(message, options);

/** Replies by the error code that Redis puts first (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors). */
const BY_REPLY_CODE: Readonly<Record<string, Make>> = {
  LOADING: unavailable,
  BUSY: unavailable,
  MASTERDOWN: unavailable,
  UNBLOCKED: unavailable,
  NOAUTH: auth,
  WRONGPASS: auth,
  NOPERM: permission,
  READONLY: readOnly,
  NOREPLICAS: readOnly,
  MISCONF: readOnly,
  OOM: (message, options) => new RedisOutOfMemoryError(message, options),
  WRONGTYPE: (message, options) => new RedisWrongTypeError(message, options),
  CLUSTERDOWN: moving,
  MOVED: moving,
  ASK: moving,
  TRYAGAIN: moving,
  NOSCRIPT: script,
};

/** Replies that say `ERR` only, told apart by their text. */
const BY_REPLY_TEXT: ReadonlyArray<readonly [RegExp, Make]> = [
  [/max number of clients/i, unavailable],
  [/no password is set|without any password|invalid password|invalid username-password/i, auth],
  [/the user executing the script can't/i, permission],
  [/error running script|user_script|script killed|script kill/i, script],
];

/** What the driver itself says. */
const BY_DRIVER_TEXT: ReadonlyArray<readonly [RegExp, Make]> = [
  [/^Command timed out$/, (message, options) => new RedisTimeoutError(message, options)],
  [
    /^Command aborted due to connection close/,
    (message, options) => new RedisConnectionLostError(message, options),
  ],
  [
    /^Connection is closed\.$|^Unknown RESP type|^Reached the max retries per request limit|enableOfflineQueue options is false$|^All sentinels are unreachable|^None of startup nodes is available$|^Cluster is (?:ended\.|disconnected\.|disconnecting\.)$|^Failed to refresh slots cache\.$/,
    unavailable,
  ],
  [/^Too many Cluster redirections/, moving],
  [/^All (?:the )?keys in (?:a|the) pipeline/, (message, options) => new RedisCommandError(message, options)],
];

const TLS_CODES =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|EPROTO$)/;

function match(rules: ReadonlyArray<readonly [RegExp, Make]>, message: string): Make | undefined {
  return rules.find(([pattern]) => pattern.test(message))?.[1];
}

/** Before Redis 7, a command that failed within a script is told of so; since then, by its own code. */
const FAILED_IN_SCRIPT = /@user_script: ?\d+: -([A-Z]+) /;

function fromReply(message: string): Make {
  const [, code = message.slice(0, message.indexOf(' '))] = FAILED_IN_SCRIPT.exec(message) ?? [];
  return (
    BY_REPLY_CODE[code] ??
    match(BY_REPLY_TEXT, message) ??
    ((text, options) => new RedisCommandError(text, options))
  );
}

/**
 * The {@link RedisError} that a driver's error stands for, with the driver's error as its `cause`; a RedisError is returned as it
 * is, and `undefined` where the error has nothing to do with Redis.
 *
 * @example
 * try { await redis.incr(key); } catch (error) { throw toRedisError(error) ?? error; }
 */
export function toRedisError(error: unknown): RedisError | undefined {
  if (error instanceof RedisError) return error;
  if (!(error instanceof Error)) return undefined;
  const message = reasonOf(error);
  const make = error.name === 'ReplyError' ? fromReply(message) : match(BY_DRIVER_TEXT, message);
  return make?.(message, { cause: error });
}

/** Of a transaction that was not executed: why a command was not queued, which `EXECABORT` itself does not tell. */
function reasonOf(error: Error): string {
  const [refusal] = (error as { previousErrors?: Error[] }).previousErrors ?? [];
  return refusal && error.message.startsWith('EXECABORT') ? refusal.message : error.message;
}

/**
 * As {@link toRedisError}, for an error that is known to come from connecting: the system's network and TLS errors are told too.
 * They are not in `toRedisError`, where an `ECONNREFUSED` may as well be the application's own HTTP call.
 */
export function toConnectionError(error: unknown): RedisError {
  const cause = innermost(error);
  const known = toRedisError(cause);
  if (known) return known;
  const { code = '', message = String(cause) } = cause as Partial<NodeJS.ErrnoException>;
  if (TLS_CODES.test(code) || /certificate|tlsv1|ssl3_/i.test(message))
    return new RedisTlsError(message, { cause });
  return new RedisUnavailableError(message || code, { cause });
}

/** Cluster and happy-eyeballs errors wrap the one that tells. */
function innermost(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  const { lastNodeError } = Object(error) as { lastNodeError?: unknown };
  return lastNodeError instanceof Error ? innermost(lastNodeError) : error;
}
