import type { Redis } from 'ioredis';
import type { ResolvedRedisOptions } from '../options/resolved-options.js';
import { redisInternals } from './internals.js';
import { mayBlock } from './may-block.js';

/** How often within the shorter timeout a connection is looked at. */
const CHECKS = 4;

/**
 * Gives up a connection that owes replies and sends nothing: its other end has vanished. After `stallTimeout` when it is ready, and
 * after `connectTimeout` (or `stallTimeout`, if that is shorter) before that, since the driver's own ends with TCP; at most a quarter later.
 *
 * The driver's `socketTimeout` sets a timer for each command, which costs 6 % of a sequential client's rate; this looks in from time to time.
 */
export function closeWhenStalled(
  client: Redis,
  { stallTimeout, connectTimeout }: Pick<ResolvedRedisOptions, 'stallTimeout' | 'connectTimeout'>,
): void {
  const internals = redisInternals(client);
  client.on('connect', () => {
    const socket = internals.stream;
    if (!socket) return;
    let bytesRead = socket.bytesRead;
    let quietSince = performance.now();
    const check = () => {
      const now = performance.now();
      const oldest = internals.commandQueue.peekFront()?.command;
      const isQuiet = oldest !== undefined && !mayBlock(oldest) && socket.bytesRead === bytesRead;
      bytesRead = socket.bytesRead;
      if (!isQuiet) quietSince = now;
      const timeout = client.status === 'ready' ? stallTimeout : Math.min(stallTimeout, connectTimeout);
      if (now - quietSince >= timeout)
        socket.destroy(new Error(`Socket timeout: no reply for ${timeout} ms`));
    };
    const timer = setInterval(check, Math.min(stallTimeout, connectTimeout) / CHECKS).unref();
    socket.once('close', () => clearInterval(timer));
  });
}
