import type { Redis } from 'ioredis';
import { RedisUnavailableError } from '../errors/errors.js';
import type { ResolvedRedisOptions } from '../options/resolved-options.js';
import { redisInternals } from './internals.js';

/**
 * Rejects the commands that wait for a server which loads its data set, as often as it would if the server were away. The driver
 * holds them until it is done, which may take minutes.
 */
export function rejectWhileLoading(
  client: Redis,
  { maxRetriesPerRequest, reconnect }: Pick<ResolvedRedisOptions, 'maxRetriesPerRequest' | 'reconnect'>,
): void {
  client.on('connect', () => {
    const check = () => {
      if (client.status !== 'connect') return clearInterval(timer);
      const loading = new RedisUnavailableError(
        'Redis is loading its data set; giving up on the commands that wait',
      );
      redisInternals(client).flushQueue(loading, { commandQueue: false });
    };
    const timer = setInterval(check, (maxRetriesPerRequest + 1) * reconnect.maxDelay).unref();
  });
}
