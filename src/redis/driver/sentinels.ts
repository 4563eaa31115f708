import type { Redis } from 'ioredis';
import { redisInternals } from './internals.js';

/** Has a client that asks Sentinels for its master fail with the cause, and let go of them at its end. Leaves other clients as they are. */
export function prepareSentinels(client: Redis): Redis {
  if (redisInternals(client).connector.connectToSentinel) failWithCause(client);
  // After `QUIT` the driver would go on listening to the Sentinels, and the process would never end.
  client.on('end', () => redisInternals(client).connector.failoverDetector?.cleanup());
  return client;
}

/**
 * Has a round of all Sentinels that leads to no master fail with the cause. Needs a `sentinelRetryStrategy` that gives `null`: the driver
 * would else go round by itself, telling nobody, while commands wait for ever.
 *
 * Of a Sentinel that refuses the password, or has the wrong certificate, the driver says that the connection is closed.
 */
function failWithCause(client: Redis): void {
  const { connector } = redisInternals(client);
  const connect = connector.connect.bind(connector);
  const connectToSentinel = connector.connectToSentinel!.bind(connector);
  let cause: Error | undefined;
  connector.connectToSentinel = (...parameters) => {
    const sentinel = connectToSentinel(...parameters);
    sentinel.on('error', (error: Error) => (cause = error));
    // Told to disconnect afterwards, the driver would wait for the end of that socket again, with a timer that nothing clears.
    sentinel.on('close', () => (redisInternals(sentinel).connector.stream = undefined));
    return sentinel;
  };
  connector.connect = async (emit) => {
    let reply: Error | undefined;
    cause = undefined;
    try {
      return await connect((event, error) => {
        reply = error;
        emit(event, error);
      });
    } catch (error) {
      throw cause ?? reply ?? error;
    }
  };
}
