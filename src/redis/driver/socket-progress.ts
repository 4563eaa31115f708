import type { Redis } from 'ioredis';
import { redisInternals } from './internals.js';

/** What has gone over a client's socket, in bytes. */
export interface SocketProgress {
  readonly read: number;
  /** What the kernel has taken over. */
  readonly sent: number;
  /** What it could not take yet: as long as there is some, more is taken only when the other end reads. */
  readonly queued: number;
}

const NONE: SocketProgress = { read: 0, sent: 0, queued: 0 };

/** Shows whether a connection that owes replies is busy with large ones, or silent. Counts anew on each connection. */
export function socketProgress(client: Redis | undefined): SocketProgress {
  const socket = client && redisInternals(client).stream;
  if (!socket) return NONE;
  // What Node has handed over counts as written, although much of it may wait in the handle: as Node's own timeout does, look there.
  // oxlint-disable-next-line no-underscore-dangle
  const handle = socket._handle;
  const queued = handle?.writeQueueSize ?? 0;
  return { read: socket.bytesRead, sent: (handle?.bytesWritten ?? 0) - queued, queued };
}
