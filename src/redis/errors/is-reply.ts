import { RedisError } from './redis-error.js';

/** Whether an error is what a server has answered: it can be reached, whatever it refuses. */
export function isReply(error: unknown): boolean {
  const cause = error instanceof RedisError ? error.cause : error;
  return cause instanceof Error && cause.name === 'ReplyError';
}
