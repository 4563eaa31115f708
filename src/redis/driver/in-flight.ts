import type { Redis } from 'ioredis';
import { RedisConnectionLostError } from '../errors/errors.js';
import { redisInternals } from './internals.js';

/** The driver tells the failure of these as that of the connection: it must be the cause, not that an answer is missing. */
const HANDSHAKE = /^(?:auth|hello|info)$/;

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
    const { stream } = internals;
    stream?.prependOnceListener('close', () => {
      for (let sent = internals.commandQueue.shift(); sent; sent = internals.commandQueue.shift()) {
        const isHandshake = client.status === 'connect' && HANDSHAKE.test(sent.command.name);
        sent.command.reject((isHandshake && stream.errored) || new RedisConnectionLostError());
      }
    });
  });
  return client;
}
