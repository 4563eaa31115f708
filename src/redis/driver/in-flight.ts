import type { Redis } from 'ioredis';
import { RedisConnectionLostError } from '../errors/errors.js';
import { redisInternals } from './internals.js';

/**
 * Rejects the commands that were sent and not answered as soon as the connection is lost, with {@link RedisConnectionLostError}.
 *
 * The driver, told not to send them again, would forget them: their promises would never settle. On a Cluster it would send them
 * again whatever it was told. Commands that were not sent yet are left in its queue, for the next connection.
 */
export function rejectUnanswered(client: Redis): Redis {
  const internals = redisInternals(client);
  client.on('connect', () => {
    // Before the driver's own listener, which moves or retries the queue.
    internals.stream?.prependOnceListener('close', () => {
      for (let sent = internals.commandQueue.shift(); sent; sent = internals.commandQueue.shift())
        sent.command.reject(new RedisConnectionLostError());
    });
  });
  return client;
}

/**
 * Rejects the commands that were to be sent again when the client ends before there is a connection, with {@link RedisConnectionLostError}.
 * The driver forgets them.
 */
export function rejectUnsentAgain(client: Redis): Redis {
  const internals = redisInternals(client);
  client.on('end', () => {
    const lost = internals.prevCommandQueue;
    for (let sent = lost?.shift(); sent; sent = lost?.shift())
      sent.command.reject(new RedisConnectionLostError());
  });
  return client;
}
