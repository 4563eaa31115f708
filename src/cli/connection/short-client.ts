import { Redis, type RedisOptions } from 'ioredis';
import type { RedisCredentials } from '../../redis/index.js';
import type { ResolvedRedisOptions } from '../../redis/shared.js';

type Place = Pick<RedisOptions, 'host' | 'port' | 'path'>;
type Access = Partial<RedisCredentials> & Pick<ResolvedRedisOptions, 'tls'>;

/** Milliseconds. */
const DEADLINE = 3_000;

/**
 * Asks one server, whatever state it is in, over a connection that lasts for `ask`, and is not tried twice.
 *
 * @throws why it cannot be connected to, or whatever `ask` throws
 */
export async function withShortClient<T>(
  place: Place,
  { tls, username, password }: Access,
  ask: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = new Redis({
    ...place,
    lazyConnect: true,
    connectTimeout: DEADLINE,
    commandTimeout: DEADLINE,
    disconnectTimeout: 100,
    retryStrategy: () => null,
    enableReadyCheck: false,
    ...(tls && { tls }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  });
  let cause: Error | undefined;
  client.on('error', (error: Error) => (cause = error));
  try {
    await client.connect();
    return await ask(client);
  } catch (error) {
    throw cause ?? error;
  } finally {
    // Of one that has ended already, the driver would set a timer that nothing clears.
    if (client.status !== 'end') client.disconnect();
  }
}
