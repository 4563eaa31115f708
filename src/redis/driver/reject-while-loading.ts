import type { Redis } from 'ioredis';
import { RedisUnavailableError } from '../errors/errors.js';
import type { ResolvedRedisOptions } from '../options/resolved-options.js';
import { redisInternals } from './internals.js';

/**
 * Rejects the commands that wait for a server which has accepted the connection and does not become ready, as often as it would if the
 * server were away. It mostly loads its data set, until when the driver holds them, which may take minutes; or it is held up, or paused.
 */
export function rejectWhileLoading(
  client: Redis,
  { maxRetriesPerRequest, reconnect }: Pick<ResolvedRedisOptions, 'maxRetriesPerRequest' | 'reconnect'>,
): void {
  client.on('connect', () => {
    const check = () => {
      if (client.status !== 'connect') return clearInterval(timer);
      const notReady = new RedisUnavailableError(
        'Redis has accepted the connection and does not become ready: it may be loading its data set, or be held up; giving up on the commands that wait',
      );
      redisInternals(client).flushQueue(notReady, { commandQueue: false });
    };
    const timer = setInterval(check, (maxRetriesPerRequest + 1) * reconnect.maxDelay).unref();
  });
}
