import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainableCommander, Redis } from 'ioredis';
import { toRedisError } from '../errors/classify.js';
import { RedisClusterError, RedisConflictError } from '../errors/errors.js';
import { backoffWithJitter, checkAttempts } from '../errors/retry.js';

/** Longest pauses after a conflict, in milliseconds: about a round trip at first. */
const INITIAL_DELAY = 1;
const MAX_DELAY = 50;

export interface OptimisticOptions {
  /** Runs of the function at most, the first included. @default 16 */
  attempts?: number;
}

/** What a transaction needs of a connection. */
export interface DedicatedSource {
  withDedicated<T>(options: { key?: string }, fn: (client: Redis) => Promise<T>): Promise<T>;
}

type Transaction<T> = (client: Redis, multi: ChainableCommander) => T | Promise<T>;

/** What an executed transaction came to: with a failure, Redis has run the other commands all the same. */
interface Outcome<T> {
  value: T;
  failure?: Error;
}

/** @internal see `RedisConnection.optimistic` */
export async function runOptimistic<T>(
  source: DedicatedSource,
  keys: readonly string[],
  fn: Transaction<T>,
  { attempts = 16 }: OptimisticOptions = {},
): Promise<T> {
  const [first] = keys;
  checkAttempts(attempts);
  if (first === undefined) throw new TypeError('An optimistic transaction needs at least one key to watch');
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (attempt > 1) await sleep(backoffWithJitter(attempt - 1, INITIAL_DELAY, MAX_DELAY));
    const outcome = await attemptOn(source, first, keys, fn);
    if (outcome?.failure) throw toRedisError(outcome.failure) ?? outcome.failure;
    if (outcome) return outcome.value;
  }
  throw new RedisConflictError(`The watched keys kept changing: given up after ${attempts} attempts`);
}

async function attemptOn<T>(
  source: DedicatedSource,
  key: string,
  keys: readonly string[],
  fn: Transaction<T>,
): Promise<Outcome<T> | undefined> {
  try {
    return await source.withDedicated({ key }, (client) => runOnce(client, keys, fn));
  } catch (error) {
    // The slot is moving to another node: nothing was executed here, and the next attempt asks where it is.
    const redisError = toRedisError(error);
    if (redisError instanceof RedisClusterError) return undefined;
    throw redisError ?? error;
  }
}

/** The value, or undefined after a conflict. An error leaves the keys watched: the pool unwatches them. */
async function runOnce<T>(
  client: Redis,
  keys: readonly string[],
  fn: Transaction<T>,
): Promise<Outcome<T> | undefined> {
  await client.watch(...keys);
  const multi = client.multi();
  const value = await fn(client, multi);
  if (multi.length === 1) return { value }; // MULTI alone: nothing to write
  const replies = await multi.exec();
  if (replies === null) return undefined;
  const failure = replies.find(([error]) => error)?.[0];
  return failure ? { value, failure } : { value };
}
