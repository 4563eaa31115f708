import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { redisInternals } from './internals.js';

/**
 * So many characters of a turn are sent at first, so that the server works on them while the rest is made; then twice as many, and so on,
 * since few large bursts are less work than many small ones.
 */
const BURST = { first: 4_096, longest: 65_536 };

/**
 * Sends the commands of one turn of the event loop with one system call, or a few where they are many. The driver writes each by
 * itself; here what it writes is gathered and sent when the turn is over, so that a lone command leaves no later than before.
 *
 * This does what auto-pipelining is for, and more of it, without its price: no wait for the next turn or for the pipeline before, no
 * second queue that `QUIT` could overtake, and on a Cluster no grouping by slot. `npm run bench redis` shows both.
 */
export function coalesceWrites(client: Redis): Redis {
  const internals = redisInternals(client);
  const send = client.sendCommand.bind(client);
  let gathering: Socket | undefined;
  client.sendCommand = (command, pipeline) => {
    const socket = internals.stream;
    if (socket && socket !== gathering) {
      gathering = socket;
      gatherWrites(socket);
    }
    return send(command, pipeline);
  };
  return client;
}

/** One text is far cheaper to send than as many as there are commands (`cork`): each of those is a chunk of its own for the system. */
function gatherWrites(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  const end = socket.end.bind(socket) as (...args: unknown[]) => Socket;
  let text = '';
  let burst = BURST.first;
  const send = (): void => {
    const gathered = text;
    text = '';
    if (gathered !== '') write(gathered);
  };
  const endTurn = (): void => {
    burst = BURST.first;
    send();
  };
  socket.write = (chunk: unknown, encoding?: unknown, callback?: unknown): boolean => {
    if (typeof chunk !== 'string' || encoding !== undefined) {
      send();
      return write(chunk, encoding, callback);
    }
    if (text === '' && burst === BURST.first) process.nextTick(endTurn);
    text += chunk;
    if (text.length >= burst) {
      burst = Math.min(2 * burst, BURST.longest);
      send();
    }
    return !socket.writableNeedDrain;
  };
  socket.end = (...args: unknown[]): Socket => {
    send();
    return end(...args);
  };
}
