import { RedisTimeoutError, RedisUnavailableError, toConnectionError } from '../../redis/index.js';
import type { ResolvedRedisOptions } from '../../redis/shared.js';
import { withShortClient } from './short-client.js';

/**
 * Why a connection does not become ready, where the driver does not tell: while a server loads its data set, it asks again and again by
 * itself.
 */
export async function reasonOf(error: unknown, options: ResolvedRedisOptions): Promise<unknown> {
  const isSilent = error instanceof RedisUnavailableError && error.message === 'no answer';
  const { target, tls, username, password, credentials } = options;
  if (!isSilent || (target.kind !== 'standalone' && target.kind !== 'socket')) return error;
  const { kind: _, ...place } = target;
  try {
    const access = credentials
      ? await credentials()
      : { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
    await withShortClient(place, { tls, ...access }, (client) => client.ping());
    return error;
  } catch (cause) {
    const reason = toConnectionError(cause);
    return reason instanceof RedisTimeoutError ? error : reason;
  }
}
