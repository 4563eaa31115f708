import type { Redis } from 'ioredis';
import { redisInternals } from './internals.js';

/** How often within the timeout a connection is looked at. */
const CHECKS = 4;

/**
 * Gives up a connection that owes replies and has sent nothing for `timeout` milliseconds (at most a quarter longer): its other end has
 * vanished. The driver's own `socketTimeout` sets a timer for each command, which costs 6 % of a sequential client's rate; this looks
 * in from time to time.
 */
export function closeWhenStalled(client: Redis, timeout: number): Redis {
  const internals = redisInternals(client);
  client.on('connect', () => {
    const socket = internals.stream;
    if (!socket) return;
    let bytesRead = socket.bytesRead;
    let quietChecks = 0;
    const timer = setInterval(() => {
      const isQuiet = internals.commandQueue.length > 0 && socket.bytesRead === bytesRead;
      bytesRead = socket.bytesRead;
      quietChecks = isQuiet ? quietChecks + 1 : 0;
      if (quietChecks > CHECKS) socket.destroy(new Error(`Socket timeout: no reply for ${timeout} ms`));
    }, timeout / CHECKS).unref();
    socket.once('close', () => clearInterval(timer));
  });
  return client;
}
