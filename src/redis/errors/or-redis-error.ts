import { toRedisError } from './classify.js';

/** @throws RedisError in the place of the driver's */
export async function orRedisError<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw toRedisError(error) ?? error;
  }
}
