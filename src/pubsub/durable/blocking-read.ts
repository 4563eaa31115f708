import { RedisConnectionLostError } from '../../redis/index.js';

/** Milliseconds beyond the time that a read was to wait, after which one without an answer has lost its connection: the driver says `null`. */
const DEAF = 3_000;

/** The longest that a blocking read takes, in milliseconds. */
export function longestRead(block: number): number {
  return block + DEAF;
}

/**
 * What a read with `BLOCK` gives; `null` where there was nothing.
 *
 * @param block for how many milliseconds it waits
 * @throws RedisConnectionLostError where no answer came at all; whatever the driver says
 */
export async function blockingRead<T>(block: number, read: () => Promise<T | null>): Promise<T | null> {
  const startedAt = performance.now();
  const reply = await read();
  if (!reply && performance.now() - startedAt > longestRead(block)) throw new RedisConnectionLostError();
  return reply;
}
