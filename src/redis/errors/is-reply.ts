import { toRedisError } from './classify.js';
import { RedisError, type RedisErrorCode } from './redis-error.js';

/** Of a server that answers and serves nobody: it loads, is busy with a script, waits for its master, or does not know who asks. */
const SERVES_NOBODY: ReadonlySet<RedisErrorCode> = new Set(['REDIS_UNAVAILABLE', 'REDIS_AUTH']);

/** `MISCONF`: it cannot save (`stop-writes-on-bgsave-error`); even `PING` is refused then. `NOREPLICAS`: fewer than `min-replicas-to-write`. */
const REFUSES_WRITES = /^(?:MISCONF|NOREPLICAS) /;

/** Whether an error is what a server has answered: it can be reached, whatever it refuses. */
export function isReply(error: unknown): boolean {
  return replyOf(error) !== undefined;
}

/** Whether a server has refused a command, and serves others. */
export function isRefusal(error: unknown): boolean {
  return isReply(error) && !SERVES_NOBODY.has(toRedisError(error)?.code ?? 'REDIS_UNAVAILABLE');
}

/** Whether a server refuses all writes for a while, and serves reads. */
export function isWriteRefusal(error: unknown): boolean {
  return REFUSES_WRITES.test(replyOf(error)?.message ?? '');
}

function replyOf(error: unknown): Error | undefined {
  const cause = error instanceof RedisError ? error.cause : error;
  return cause instanceof Error && cause.name === 'ReplyError' ? cause : undefined;
}
