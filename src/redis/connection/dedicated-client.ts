import type { Redis } from 'ioredis';
import { redisInternals } from '../driver/internals.js';
import { RedisUnavailableError } from '../errors/errors.js';

/** How long a returned connection may take to prove that it is clean. */
const RECYCLE_TIMEOUT = 1_000;

/**
 * Connects, with everything that belongs to it: the driver's own timeout ends with TCP, and a server that accepts and says nothing
 * would be waited for without end.
 *
 * @param timeout milliseconds
 * @throws the cause, which the driver tells by an event only
 */
export async function connectWithin(client: Redis, timeout: number): Promise<void> {
  let reason: unknown;
  let timer: NodeJS.Timeout | undefined;
  client.on('error', (error: unknown) => (reason = error));
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RedisUnavailableError(`no answer within ${timeout} ms`)), timeout);
  });
  try {
    await Promise.race([client.connect(), late]);
  } catch (error) {
    cutOff(client);
    throw reason ?? error;
  } finally {
    clearTimeout(timer);
  }
}

/** Closes a connection without waiting for the other end. */
export function cutOff(client: Redis): void {
  client.disconnect();
  redisInternals(client).stream?.destroy();
}

/**
 * Whether the next taker finds a connection as it was at first: in its database, nothing subscribed to or watched, no transaction open
 * (`UNWATCH` inside one answers `QUEUED`), no blocking command under way.
 */
export async function isClean(client: Redis, db: number): Promise<boolean> {
  if (client.status !== 'ready') return false;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => (timer = setTimeout(() => resolve('late'), RECYCLE_TIMEOUT)));
  try {
    // Looked at after the reply: it comes after those to all that the taker may have left under way.
    return (await Promise.race([client.unwatch(), late])) === 'OK' && isAtFirst(client, db);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** With RESP3 a subscribed connection takes any command, and the driver's `mode` is `normal`. */
function isAtFirst(client: Redis, db: number): boolean {
  const { condition } = redisInternals(client);
  return condition?.select === db && !('subscriber' in condition && condition.subscriber);
}
