import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { redisInternals } from './internals.js';

/** So many characters are sent at once, so that the server works on them while the rest is made. */
const BURST = 4_096;

/**
 * Sends the commands of one turn of the event loop with one system call, or a few where they are many. The driver writes each by
 * itself; here the socket is corked at the first and uncorked when the turn is over, so that a lone command leaves no later than before.
 *
 * This does what auto-pipelining is for, and more of it, without its price: no wait for the next turn or for the pipeline before, no
 * second queue that `QUIT` could overtake, and on a Cluster no grouping by slot. `npm run bench redis` shows both.
 */
export function coalesceWrites(client: Redis): Redis {
  const internals = redisInternals(client);
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, pipeline) => {
    const socket = internals.stream;
    // A pipeline makes one write of its commands by itself.
    if (pipeline === undefined && socket?.writableCorked === 0) {
      socket.cork();
      process.nextTick(uncork, socket);
    }
    const reply = send(command, pipeline);
    if (socket && socket.writableCorked > 0 && socket.writableLength >= BURST) {
      socket.uncork();
      socket.cork();
    }
    return reply;
  };
  return client;
}

function uncork(socket: Socket): void {
  socket.uncork();
}
