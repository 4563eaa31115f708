import type { Redis } from 'ioredis';
import { settlesBefore } from '../../timing/settles-before.js';
import { redisInternals } from '../driver/internals.js';

/** How long a returned connection may take to prove that it is clean. */
const RECYCLE_TIMEOUT = 1_000;

/** Connects. @throws the cause of a failure, which the driver tells by an event only */
export async function connect(client: Redis): Promise<void> {
  let reason: unknown;
  client.on('error', (error: unknown) => (reason = error));
  try {
    await client.connect();
  } catch (error) {
    disconnect(client);
    throw reason ?? error;
  }
}

/** Closes a connection. On one that has ended, the driver would set a timer that nothing clears. */
export function disconnect(client: Redis): void {
  if (client.status !== 'end') client.disconnect();
}

/** Closes a connection without waiting for the other end. */
export function cutOff(client: Redis): void {
  disconnect(client);
  redisInternals(client).stream?.destroy();
}

/** Commands that leave a connection other than it was: another user, another database, another way to answer. */
const LASTING = /^(?:auth|hello|select|client|readonly|readwrite|monitor|reset)$/i;

/** Tells from now on when a taker changes the connection for good. */
export function watchForChanges(client: Redis, onChange: () => void): void {
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, pipeline) => {
    if (LASTING.test(command.name)) onChange();
    return send(command, pipeline);
  };
}

/**
 * Whether the next taker finds a connection as it was at first: the same user and database, nothing subscribed to or watched, no transaction open
 * (`UNWATCH` inside one answers `QUEUED`), no blocking command under way.
 */
export async function isClean(client: Redis): Promise<boolean> {
  if (client.status !== 'ready') return false;
  const reply = client.unwatch();
  if (!(await settlesBefore(reply, performance.now() + RECYCLE_TIMEOUT))) return false;
  // Looked at after the reply: it comes after those to all that the taker may have left under way.
  return (await reply.catch(() => undefined)) === 'OK' && !isSubscribed(client);
}

/** With RESP3 a subscribed connection takes any command, and the driver's `mode` is `normal`. */
function isSubscribed(client: Redis): boolean {
  const { condition } = redisInternals(client);
  return Boolean(condition && 'subscriber' in condition && condition.subscriber);
}
