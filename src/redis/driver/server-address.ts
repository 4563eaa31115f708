import type { Redis } from 'ioredis';
import { nodeName } from '../connection/node-address.js';
import { redisInternals } from './internals.js';

/** The server at the other end now, as `host:port`; undefined while there is none, and behind a Unix socket. */
export function serverAddress(client: Redis): string | undefined {
  const { remoteAddress: host, remotePort: port } = redisInternals(client).stream ?? {};
  return host === undefined ? undefined : nodeName({ host, port });
}
